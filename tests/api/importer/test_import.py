"""A file of an ERP to a running API: good rows kept or none, bad ones named in the words of the file."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator

import pytest
from httpx import Client

from api.importer import FileMapping, ImportReport, load_mapping, over_http, run_import
from api.importer.posting import ServerRefused
from api.importer.source import FileUnreadable
from api.wiring import Wiring
from engine.source import render_problem
from tests.api.rest.conftest import listening

MAPPING = b"""mapping: erp
dates: ["%d/%m/%Y"]
decimal: ","
thousands: "."
symbols: "\xc2\xa5"
delimiter: ";"
timezone: Asia/Shanghai
rows:
  - customer:
      id: "C{Kunde}"
      segment: {value: "{Typ}", words: {"P": consumer, "G": sme}}
      facts:
        limit: {value: "{Limit}", type: integer}
        verified: {value: "{Ident}", type: boolean, words: {ja: "yes", nein: "no"}, source: shop}
  - account: {id: "A{Kunde}", customer: "C{Kunde}", currency: CNY, timezone: Asia/Shanghai}
  - bill:
      account: "A{Kunde}"
      id: "{Rechnung}"
      value_date: "{Datum}"
      due_date: "{Faellig}"
      amount: "{Betrag}"
      received_at: {value: "{Datum}", at: "02:30"}
  - payment:
      account: "A{Kunde}"
      id: "P-{Rechnung}"
      value_date: "{Bezahlt}"
      amount: "{Betrag}"
      pays: [{bill: "{Rechnung}", amount: "{Betrag}"}]
      received_at: {value: "{Bezahlt}", at: "03:00"}
    when: {Bezahlt: "*"}
"""
HEAD = "Kunde;Typ;Limit;Ident;Rechnung;Datum;Faellig;Betrag;Bezahlt\n"
GOOD = (
    "1;P;5000;ja;R1;01/03/2026;18/03/2026;\u00a51.205,42;\n"
    "1;P;5000;ja;R2;02/04/2026;18/04/2026;99,00;20/04/2026\n"
    '2;G;;nein;"R;3";01/03/2026;18/03/2026;10;\n'
)

Load = Callable[..., ImportReport]


def mapping(text: bytes = MAPPING) -> FileMapping:
    loaded = load_mapping(text, "erp.yaml")
    assert loaded.policy is not None, loaded.problems
    return loaded.policy


@pytest.fixture
def url(lite: Wiring) -> Iterator[str]:
    with listening(lite) as url:
        yield url


@pytest.fixture
def load(lite: Wiring, url: str) -> Load:
    def run(text: str | bytes, using: FileMapping | None = None, **options: object) -> ImportReport:
        data = text.encode() if isinstance(text, str) else text
        post = over_http(url, lite.directory.key)
        return run_import(using or mapping(), io.BytesIO(data), post, **options)  # type: ignore[arg-type]  # names of the test

    return run


@pytest.fixture
def api(lite: Wiring, url: str) -> Iterator[Client]:
    headers = {"Authorization": f"Bearer {lite.directory.key}"}
    with Client(base_url=url, headers=headers, trust_env=False) as client:
        yield client


def test_every_line_becomes_what_the_mapping_says(load: Load, api: Client) -> None:
    report = load(HEAD + GOOD)
    assert report.rejects == []
    assert (report.lines, report.stored, report.already, report.kept) == (3, 8, 0, True)
    assert report.by_kind == {"customer": 2, "account": 2, "bill": 3, "payment": 1}
    customer = api.get("/v1/customers/C1").json()
    assert customer["segment"] == "consumer"
    assert customer["facts"]["limit"]["value"] == 5000
    assert (customer["facts"]["verified"]["value"], customer["facts"]["verified"]["source"]) == (True, "shop")
    bill = api.get("/v1/bills/A1/R1").json()
    assert (bill["amount"], bill["due_date"], bill["received_at"]) == (
        "1205.42", "2026-03-18", "2026-03-01T02:30:00+08:00",
    )  # fmt: skip
    assert api.get("/v1/bills/A2/R;3").json()["amount"] == "10"
    assert api.get("/v1/accounts/A1/position").json()["allocations"][0]["paid"] == [
        {"debt": "R2", "amount": "99.00"}
    ]


def test_a_file_loaded_twice_changes_nothing(load: Load, api: Client) -> None:
    load(HEAD + GOOD)
    before = api.get("/v1/accounts/A1").json()
    report = load(HEAD + GOOD)
    assert (report.stored, report.already, report.refused) == (0, 8, 0)
    assert api.get("/v1/accounts/A1").json() == before


BAD = (
    "3;P;1;ja;R4;31/02/2026;18/03/2026;5,00;\n"
    "3;P;x;ja;R5;01/03/2026;18/03/2026;5,00;\n"
    "3;P;1;ja;R6;01/03/2026;18/03/2026;5.0.x;\n"
    "3;P;1;ja;R7;01/03/2026\n"
    "3;P;1;ja;R8;01/03/2026;18/02/2026;5,00;\n"
    "3;P;1;maybe;R9;01/03/2026;18/03/2026;5,00;\n"
)


def test_bad_lines_are_named_and_the_good_ones_kept(load: Load, api: Client) -> None:
    report = load(HEAD + GOOD + BAD)
    said = [str(reject) for reject in report.rejects]
    assert said == [
        "line 5, column `Datum` (bill): `31/02/2026`: this is not a day written as `%d/%m/%Y`. "
        "Set `dates` in the mapping.",
        "line 6, column `Limit` (customer): `x`: this is not a whole number. Write digits only.",
        "line 7, column `Betrag` (bill): `5.0.x`: this is not an amount. Write `1234,50`, or set "
        "`decimal` and `thousands`.",
        "line 8: `3;P;1;ja;R7;01/03/2026`: it has 6 cells, the heading has 9. "
        "Quote cells that hold the delimiter.",
        "line 9, column `Faellig` (bill): `18/02/2026`: Bill `R8` is due on 2026-02-18, before its bill "
        "date 2026-03-01. Write a day from 2026-03-01 on.",
        "line 10, column `Ident` (customer): `maybe`: the mapping says nothing of this word; "
        "it knows `ja`, `nein`. Add it to `words`.",
    ]
    assert report.kept
    assert [b["id"] for b in api.get("/v1/bills?account=A3").json()["items"]] == ["R5", "R9"]
    assert api.get("/v1/bills/A1/R1").status_code == 200


@pytest.mark.parametrize("bad", [BAD.splitlines()[0], BAD.splitlines()[4]])
def test_none_is_kept_when_asked_for_all(load: Load, api: Client, bad: str) -> None:
    report = load(HEAD + GOOD + bad + "\n", mode="all")
    assert (report.kept, report.stored, len(report.rejects)) == (False, 0, 1)
    assert api.get("/v1/customers").json()["items"] == []


def test_a_dry_run_says_what_would_happen(load: Load, api: Client) -> None:
    report = load(HEAD + GOOD + BAD.splitlines()[4], dry_run=True)
    assert (report.kept, report.stored, len(report.rejects)) == (False, 10, 1)
    assert api.get("/v1/customers").json()["items"] == []


def test_quotes_line_ends_and_marks_of_other_systems(load: Load, api: Client) -> None:
    text = ("\ufeff" + HEAD + '1;P;5000;ja;"R""1\nb";01/03/2026;18/03/2026;1,00;\n\n').replace("\n", "\r\n")
    assert load(text).rejects == []
    (bill,) = api.get("/v1/bills").json()["items"]
    assert bill["id"] == 'R"1\r\nb'


def test_a_line_number_counts_the_lines_inside_quotes(load: Load) -> None:
    report = load(HEAD + '1;P;5000;ja;"R\n1";01/03/2026;18/03/2026;1,00;\n1;P;1;ja;R2;x;18/03/2026;1,00;\n')
    assert [r.line for r in report.rejects] == [4]


@pytest.mark.parametrize(
    ("encoding", "declared"), [("latin-1", b"latin-1"), ("gb18030", b"gb18030"), ("utf-16", b"utf-16")]
)
def test_other_encodings(load: Load, api: Client, encoding: str, declared: bytes) -> None:
    name = "M\u00fcller" if encoding == "latin-1" else "\u5f20\u4f1f"
    text = f"id,name\n1,{name}\n".encode(encoding)
    rows = b'\nrows:\n  - customer: {id: "C{id}", name: "{name}"}\n'
    using = mapping(b"mapping: x\nencoding: " + declared + rows)
    assert load(text, using).rejects == []
    assert api.get("/v1/customers/C1").json()["name"] == name


def test_bytes_of_another_encoding_are_named(load: Load) -> None:
    using = mapping(b'mapping: x\nrows:\n  - customer: {id: "C{id}", name: "{name}"}\n')
    report = load(b"id,name\n1,M\xfcller\n2,Li\n", using)
    assert [(r.line, r.column) for r in report.rejects] == [(2, "name")]
    assert report.stored == 1


def test_ndjson_numbers_stay_exact(load: Load, api: Client) -> None:
    using = mapping(
        b"mapping: x\nformat: ndjson\nrows:\n"
        b'  - customer: {id: "{c}"}\n'
        b'  - account: {id: "{a}", customer: "{c}", currency: CNY, timezone: UTC}\n'
        b'  - bill: {account: "{a}", id: "{b}", value_date: "{d}", due_date: "{d}", amount: "{x}",\n'
        b'           received_at: "{d}"}\n'
    )
    text = (
        '{"c":"C1","a":"A1","b":"B1","d":"2026-03-01","x":12345678901234567890.10}\n'
        "nonsense\n[1]\n"
        '{"c":"C1","a":"A1","b":"B2","d":"2026-03-01"}\n'
    )
    report = load(text, using)
    assert api.get("/v1/bills/A1/B1").json()["amount"] == "12345678901234567890.10"
    assert [(r.line, r.column) for r in report.rejects] == [(2, ""), (3, ""), (4, "x")]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ((b"  - bill:", b"  - bil:"), "`bil` is nothing that a line can become"),
        ((b"due_date:", b"due_dat:"), "a bill has no key `due_dat`"),
        ((b'delimiter: ";"', b'delimiter: ";;"'), "`delimiter` is `;;`"),
        ((b"timezone: Asia/Shanghai\nrows", b"timezone: Mars\nrows"), "`Mars` is no time zone"),
        ((b"type: integer", b"type: whole"), "`whole` is not a type"),
        ((b"rows:", b"row:"), "a mapping has no key `row`"),
        ((b"dates: [", b"encoding: ebcdic\ndates: ["), "`ebcdic` is not an encoding that is read"),
        ((b'    when: {Bezahlt: "*"}', b'    wenn: {Bezahlt: "*"}'), "a row becomes exactly one thing"),
    ],
)
def test_mistakes_of_a_mapping_are_named_with_their_place(change: tuple[bytes, bytes], says: str) -> None:
    text = MAPPING.replace(*change)
    assert text != MAPPING
    loaded = load_mapping(text, "erp.yaml")
    assert loaded.policy is None
    shown = [render_problem(problem, {"erp.yaml": text.decode()}) for problem in loaded.problems]
    assert any(says in problem for problem in shown), shown
    assert all("erp.yaml:" in problem for problem in shown)


@pytest.mark.parametrize(
    ("head", "says"),
    [
        (HEAD.replace("Betrag", "Betrg"), "the file has no column `Betrag`"),
        (HEAD.replace("Bezahlt", "Kunde"), "the file has two columns `Kunde`"),
        ("", "the file has no column `Kunde`"),
    ],
)
def test_a_file_that_the_mapping_does_not_fit_is_refused_as_a_whole(load: Load, head: str, says: str) -> None:
    with pytest.raises(FileUnreadable, match=says):
        load(head + "1;2;3\n")


def test_a_server_that_is_not_there(lite: Wiring) -> None:
    with pytest.raises(ServerRefused, match="does not answer"):
        run_import(mapping(), io.BytesIO((HEAD + GOOD).encode()), over_http("http://127.0.0.1:1", "key"))


def test_a_wrong_key_is_the_servers_own_sentence(url: str) -> None:
    with pytest.raises(ServerRefused, match="needs the key"):
        run_import(mapping(), io.BytesIO((HEAD + GOOD).encode()), over_http(url, "wrong"))


DOLLARS = """mapping: dollars
timezone: UTC
rows:
  - account: {id: "A{c}", customer: "C{c}", currency: "{cur}", timezone: Asia/Shanghai}
  - bill:
      {account: "A{c}", id: "{id}", value_date: 2026-05-05, due_date: 2026-05-25, amount: "{amt}",
       received_at: 2026-05-06}
"""


def test_an_account_that_is_there_takes_nothing_in_another_currency(load: Load, api: Client) -> None:
    load(HEAD + GOOD)
    before = api.get("/v1/accounts/A1").json()
    using = mapping(DOLLARS.encode())
    for _ in range(2):
        report = load("c,cur,id,amt\n1,USD,U1,10.00\n2,CNY,U2,12.00\n", using)
        assert [(reject.line, reject.kind) for reject in report.rejects] == [(2, "account"), (2, "bill")]
        bill = report.rejects[1]
        assert bill.message == "The bill is in USD, account `A1` is in CNY."
        assert bill.advice == "An account has one currency: give each currency an account of its own."
    assert api.get("/v1/accounts/A1").json() == before
    assert api.get("/v1/bills/A2/U2").json()["amount"] == "12.00"


def test_a_mapping_says_what_accounts_are_in_that_it_does_not_make(load: Load, api: Client) -> None:
    load(HEAD + GOOD)
    text = """mapping: later
timezone: UTC
currency: {}
rows:
  - payment:
      {{account: "A{{c}}", id: "{{id}}", value_date: 2026-05-05, amount: "{{amt}}", received_at: 2026-05-06}}
"""
    (wrong,) = load("c,id,amt\n1,X1,10.00\n", mapping(text.format("EUR").encode())).rejects
    assert wrong.message == "The payment is in EUR, account `A1` is in CNY."
    assert load("c,id,amt\n1,X1,10.00\n", mapping(text.format("CNY").encode())).stored == 1
    assert "currency" not in api.get("/v1/payments/A1/X1").json()
