import json
from io import BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, USAGE, run
from tests.engine.dmn.build import decision, definitions, literal
from tests.engine.dmn.kit_folder import OWN

INSTALMENTS = OWN / "compliance-level-3/f010-instalments/f010-instalments.dmn"
FEES = OWN / "compliance-level-3/f011-imported-rates/f011-imported-rates.dmn"


def called(*arguments: str | Path) -> int:
    return run(forbear, ["dmn", *map(str, arguments)])


@pytest.fixture
def facts(tmp_path: Path) -> Path:
    path = tmp_path / "facts.json"
    path.write_text('{"debt": 250.00, "start date": "2026-01-31"}', encoding="utf-8")
    return path


def test_a_decision_from_facts(facts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("run", INSTALMENTS, "--decision", "due in the first quarter", "--in", facts) == OK
    found = json.loads(capsys.readouterr().out)
    assert found[0] == {"due": "2026-02-28", "amount": 83.34}
    assert len(found) == 2


def test_a_model_that_was_written_again_decides_the_same(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    again = tmp_path / "again.dmn"
    assert called("write", INSTALMENTS, "--out", again) == OK
    assert called("write", INSTALMENTS) == OK
    assert capsys.readouterr().out == again.read_text(encoding="utf-8")
    for model in (INSTALMENTS, again):
        assert called("run", model, "--decision", "due in the first quarter", "--in", facts) == OK
    first, second = capsys.readouterr().out.split("\n]\n")[:2]
    assert first == second
    again.write_bytes(b"<!DOCTYPE a><definitions/>")
    assert called("write", again) == TROUBLE
    assert "document type" in capsys.readouterr().err


def test_a_service_and_a_function(facts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts.write_text('{"debt": 10, "start date": "2026-01-31", "number of instalments": 1}', encoding="utf-8")
    assert called("run", INSTALMENTS, "--service", "planner", "--in", facts) == OK
    assert json.loads(capsys.readouterr().out)["plan is exact"] is True
    facts.write_text('{"from": "2024-01-31", "months": 1}', encoding="utf-8")
    assert called("run", INSTALMENTS, "--function", "due date", "--in", facts) == OK
    assert capsys.readouterr().out == '"2024-02-29"\n'


def test_imports_are_found_beside_the_model(facts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts.write_text('{"days late": 10}', encoding="utf-8")
    assert called("run", FEES, "--decision", "fee", "--in", facts) == OK
    assert capsys.readouterr().out == "30\n"


def test_what_is_wrong_is_null_and_shown_with_its_line(
    facts: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    facts.write_text('{"days late": "ten"}', encoding="utf-8")
    assert called("run", FEES, "--decision", "fee", "--in", facts) == FINDINGS
    out, err = capsys.readouterr()
    assert out == "null\n"
    assert "warning[not-conforming]" in err
    assert '<variable name="days late" typeRef="number"/>' in err
    assert called("run", FEES, "--decision", "fee", "--in", facts, "--format", "json") == FINDINGS
    found = json.loads(capsys.readouterr().out)
    assert (found["model"], found["value"]) == ("f011-imported-rates", None)
    assert found["warnings"][0]["place"].startswith("f011-imported-rates.dmn:5:")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b"[1]", "is not a JSON object"),
        (b"{", "is not JSON: "),
        (b'{"debt": NaN}', "`NaN` is no number"),
        (b"[" * 100_000, "is nested too deep"),
        (b'{"debt": ' + b"[" * 200 + b"]" * 200 + b"}", "`debt` is nested more than 80 deep"),
        (b'{"debt": 1, "debt": 2}', "`debt` stands there twice"),
        (b'{"debt": 1e7000}', "`1e7000` is too large; numbers end at 1e6144"),
        (b'{"debt": [{"a": 1e99999999999999999999}]}', "is too large"),
        (b'{"debt": ' + b"9" * 5_000 + b"}", "a number has 5000 digits, more than 4000"),
        (rb'{"debt": "\ud83d"}', "half of a surrogate pair"),
        (rb'{"\ud83d": 1}', "half of a surrogate pair"),
        (b'{"debt": "\xff"}', "is not UTF-8: byte 11 is 0xff"),
    ],
)
@pytest.mark.parametrize("piped", [False, True])
def test_facts_that_cannot_be_read(
    text: bytes, says: str, piped: bool, facts: Path, capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    facts.write_bytes(text)
    monkeypatch.setattr("sys.stdin", TextIOWrapper(BytesIO(text)))
    source = "-" if piped else facts
    assert called("run", INSTALMENTS, "--decision", "plan", "--in", source) == TROUBLE
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_numbers_are_exact(facts: Path, capsys: pytest.CaptureFixture[str]) -> None:
    facts.write_text('{"days late": 0.1000000000000000055511151231257827}', encoding="utf-8")
    assert called("run", FEES, "--decision", "fee", "--in", facts) == OK
    assert capsys.readouterr().out == "0.3000000000000000166533453693773481\n"


def test_calls_that_are_wrong(facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert called("run", INSTALMENTS, "--decision", "pla", "--in", facts) == TROUBLE
    assert "did you mean `plan`?" in capsys.readouterr().err
    assert called("run", INSTALMENTS, "--in", facts) == USAGE
    assert "Decisions: `number of instalments`, `plan`" in capsys.readouterr().err
    assert called("run", tmp_path / "no.dmn", "--decision", "plan", "--in", facts) == TROUBLE
    assert "There is no file" in capsys.readouterr().err
    bad = tmp_path / "bad.dmn"
    bad.write_bytes(b'<!DOCTYPE d [<!ENTITY a "b">]><d>&a;</d>')
    assert called("run", bad, "--decision", "plan", "--in", facts) == TROUBLE
    assert "document type" in capsys.readouterr().err
    for at in ("soon", "2026-06-30T09:00:00"):
        assert called("run", INSTALMENTS, "--decision", "plan", "--in", facts, "--at", at) == USAGE


def test_the_kit_as_text_csv_and_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert called("tck", OWN) == OK
    text = capsys.readouterr().out
    assert "that expect a value" in text
    assert "compliance-level-3" in text
    assert called("tck", OWN, "--format", "csv") == OK
    rows = capsys.readouterr().out.splitlines()
    assert (
        rows[0]
        == '"compliance-level-2/f001-deposit-by-grade","f001-deposit-by-grade-test-01","001","SUCCESS",""'
    )
    assert called("tck", OWN / "compliance-level-3", "--format", "json") == OK
    found = json.loads(capsys.readouterr().out)
    assert found["compliance-level-3"]["all"]["cases"] == found["all"]["all"]["passed"]
    assert found["wrong"] == []


def test_a_kit_that_fails_says_what_was_expected(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = OWN / "compliance-level-3/f012-conversions"
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8").replace(">7</value>", ">8</value>")
        (tmp_path / path.name).write_text(text, encoding="utf-8")
    assert called("tck", tmp_path) == FINDINGS
    assert "from list: expected 8, got 7" in capsys.readouterr().out
    empty = tmp_path / "empty"
    empty.mkdir()
    assert called("tck", empty) == TROUBLE
    assert "There are no cases" in capsys.readouterr().err


def test_what_is_wrong_in_a_long_line_is_shown_with_its_neighbourhood(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = (decision(f"d{n}", literal(f"{n} +")) for n in range(100))
    model = tmp_path / "line.dmn"
    model.write_bytes(b"".join(definitions(*wrong).splitlines()))
    facts.write_text("{}", encoding="utf-8")
    assert called("run", model, "--decision", "d50", "--in", facts) == FINDINGS
    lines = capsys.readouterr().err.splitlines()
    assert sum("50 +" in line for line in lines) >= 1
    assert max(map(len, lines)) < 250


def test_a_model_over_the_limit_is_refused_and_not_shown(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "large.dmn"
    with model.open("wb") as file:
        file.truncate(10**11)
    assert called("run", model, "--decision", "d", "--in", facts) == TROUBLE
    told = capsys.readouterr().err
    assert "the file has more than 20000000 bytes (limit `bytes`)" in told
    assert len(told) < 500


def test_a_name_that_a_model_without_any_does_not_have(
    facts: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tmp_path / "m.dmn"
    model.write_bytes(definitions(decision("d", literal("1"))))
    assert called("run", model, "--service", "s", "--in", facts) == TROUBLE
    assert capsys.readouterr().err == "forbear: the model has no decision service `s`\n"
