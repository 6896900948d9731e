"""A dry run without a server: the same answers as the server's, as far as the file itself can tell."""

from __future__ import annotations

import gzip
import io
import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from api.cli.import_command import ALONE, command
from api.importer import OfflineLedger, over_http, run_import
from api.importer.source import FileUnreadable
from api.wiring import Wiring
from tests.api.importer.offline import AT, check, mapping
from tests.api.importer.test_import import BAD, GOOD, HEAD, MAPPING
from tests.api.rest.conftest import listening

MORE = (
    "1;P;5000;ja;R1;01/03/2026;18/03/2026;\u00a51.205,42;\n"  # the very same again
    "1;P;5000;ja;R1;01/03/2026;18/03/2026;9,00;\n"  # another bill of the same id
    "1;G;5000;ja;R10;01/03/2026;18/03/2026;9,00;\n"  # the customer said otherwise
)


def test_it_refuses_what_the_server_refuses(lite: Wiring) -> None:
    text = (HEAD + GOOD + BAD + MORE).encode()
    using = mapping(MAPPING.decode())
    alone = run_import(using, io.BytesIO(text), OfflineLedger(AT).post, dry_run=True)
    with listening(lite) as url:
        post = over_http(url, lite.directory.key)
        served = run_import(using, io.BytesIO(text), post, dry_run=True)
    assert list(map(str, alone.rejects)) == list(map(str, served.rejects))
    assert len(alone.rejects) == 8
    assert (alone.stored, alone.already, alone.by_kind) == (served.stored, served.already, served.by_kind)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, str, str]:
    (tmp_path / "m.yaml").write_bytes(MAPPING)
    with gzip.open(tmp_path / "f.csv.gz", "wb") as file:
        file.write((HEAD + GOOD + BAD).encode())
    (tmp_path / "c.csv").write_text("kind,currency,period,count,sum\nbill,CNY,2026-03,2,1215.42\n")
    return str(tmp_path / "f.csv.gz"), str(tmp_path / "m.yaml"), str(tmp_path / "c.csv")


def test_the_command_needs_no_server_for_a_dry_run(files: tuple[str, str, str], tmp_path: Path) -> None:
    file, using, control = files
    arguments = [file, "--mapping", using, "--dry-run", "--data", str(tmp_path), "--control", control]
    done = CliRunner().invoke(command, arguments, standalone_mode=False)
    assert done.return_value == 1, done.output
    assert "line 8: `3;P;1;ja;R7;01/03/2026`" in done.output
    assert "bill CNY 2026-03: count 4 of 2, sum 1225.42 of 1215.42: differs by count +2" in done.output
    assert done.output.rstrip().endswith(ALONE)
    told = CliRunner().invoke(command, [*arguments, "--format", "json"], standalone_mode=False)
    report = json.loads(told.output)
    assert (report["alone"], report["kept"], len(report["rejects"])) == (True, False, 6)


def test_without_a_dry_run_it_says_what_to_start(files: tuple[str, str, str], tmp_path: Path) -> None:
    file, using, _ = files
    done = CliRunner().invoke(command, [file, "--mapping", using, "--data", str(tmp_path)])
    assert "Start `forbear up` first" in done.output


def test_a_file_that_is_cut_off_is_named(files: tuple[str, str, str], tmp_path: Path) -> None:
    file, using, _ = files
    cut = tmp_path / "cut.csv.gz"
    cut.write_bytes(Path(file).read_bytes()[:60])
    done = CliRunner().invoke(command, [str(cut), "--mapping", using, "--dry-run", "--data", str(tmp_path)])
    assert "is not whole" in done.output


def test_an_amount_is_not_booked_in_another_currency_than_its_line_says() -> None:
    using = """
mapping: two
timezone: Asia/Tokyo
rows:
  - account: {id: "A{c}", customer: "C{c}", currency: "{cur}", timezone: Asia/Tokyo}
  - bill: {account: "A{c}", id: "{id}", value_date: 2026-01-05, due_date: 2026-01-25, amount: "{amt}"}
"""
    report, ledger = check(using, "c,cur,id,amt\n1,USD,B1,10.00\n1,JPY,B2,500\n2,JPY,B3,500\n1,USD,B4,7.00\n")
    assert {(reject.line, reject.kind) for reject in report.rejects} == {(3, "account"), (3, "bill")}
    assert {account: [e.id for e in told] for account, told in ledger.entries.items()} == {
        "A1": ["B1", "B4"],
        "A2": ["B3"],
    }
    said = next(reject for reject in report.rejects if reject.kind == "bill")
    assert said.message == "the line says JPY of account `A1`, an earlier line says USD."


def test_a_field_that_a_line_says_twice_is_not_guessed() -> None:
    using = """
mapping: twice
format: ndjson
timezone: Asia/Tokyo
rows:
  - account: {id: "A{c}", customer: "C{c}", currency: JPY, timezone: Asia/Tokyo}
"""
    report, ledger = check(using, '{"c":1,"c":2}\n{"c":3}\n{"c":4,"x":{"y":1,"y":2}}\n')
    assert [(r.line, r.column, r.message) for r in report.rejects] == [
        (1, "c", "it says `c` twice."), (3, "y", "it says `y` twice."),
    ]  # fmt: skip
    assert set(ledger.terms) == {"A3"}


def test_an_empty_file_is_called_so() -> None:
    using = "mapping: m\ntimezone: UTC\nrows:\n  - customer: {id: '{c}'}\n"
    with pytest.raises(FileUnreadable, match="the file has no heading"):
        check(using, "")
    assert check(using, "c\n")[0].lines == 0


def test_contacts_of_another_system_are_read_in_the_zone_of_the_mapping() -> None:
    using = """
mapping: calls
timezone: Asia/Tokyo
rows:
  - account: {id: "A{c}", customer: "C{c}", currency: JPY, timezone: Asia/Tokyo}
  - contact:
      account: "A{c}"
      id: "{n}"
      value_date: "{day}"
      at: "{when}"
      channel: {value: "{how}", words: {tel: call}}
      outcome: {value: "{what}", words: {ok: conversation}}
"""
    text = "c,n,day,when,how,what\n1,K1,2026-03-01,2026-03-01 10:30,tel,ok\n1,K2,2026-03-01,10:30,tel,ok\n"
    report, ledger = check(using, text)
    assert [(reject.line, reject.column) for reject in report.rejects] == [(3, "when")]
    (told,) = ledger.entries["A1"]
    assert told.model_dump(mode="json")["at"] == "2026-03-01T10:30:00+09:00"


def test_lines_that_no_row_of_the_mapping_takes_are_told() -> None:
    using = """
mapping: kinds
timezone: Asia/Tokyo
rows:
  - account: {id: "N{c}", customer: "C{c}", currency: "{cur}", timezone: Asia/Tokyo}
    when: {Art: RE}
"""
    report, ledger = check(using, "c,cur,Art\n1,JPY,RE\n2,JPY,XX\n,JPY,RE\n,JPY,\n")
    assert report.passed_over == [3, 5]
    assert {(reject.line, reject.kind) for reject in report.rejects} == {(4, "account")}
    assert set(ledger.terms) == {"N1"}
