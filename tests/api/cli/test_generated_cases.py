"""`forbear test --generate` and `--update` where there is no case yet, or cases are rows of a table."""

from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run

POLICY = """policy: small
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
facts:
  today: {type: date}
  since: {type: date, max: 2027-12-31}
  owed: {type: money, min: 0}
  known: {type: boolean, verified: true, when_unverified: {refer, reason: UNSURE}}
decisions:
  late: if today > date("2026-06-30") and owed >= 100.50 then "yes" else "no"
  old: if today - since > duration("P365D") then "old" else "new"
  grade:
    hit: FIRST
    table: |
      | late  | old   | known || grade |
      | "yes" | -     | -     || C     |
      | -     | "new" | -     || B     |
      | -     | -     | true  || A     |
      | -     | -     | -     || B     |
outcome: {grade: grade}
reasons: {UNSURE: {en: unsure, zh: 不确定}}
"""
TABLE = (
    "# made by hand\r\n"
    "case,as_of,today,since,owed,known,||,grade,status,reasons\r\n"
    "first one,2026-02-01,2026-07-01,2026-01-01,50,true,,A,decided,UNSURE\r\n"
    "# the second\r\n"
    '"x, ""y""",2026-02-01,2026-02-01,2026-01-01, 50.00 ,true,,"A",referred,UNSURE\r\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "policy.yaml").write_text(POLICY, encoding="utf-8")
    return tmp_path / "small"


def generated(folder: Path) -> int:
    return run(forbear, ["test", str(folder), "--generate"])


def test_a_first_case_is_made_from_the_types_of_the_facts(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(forbear, ["test", str(folder)]) == TROUBLE
    assert "`forbear test --generate` writes first ones" in capsys.readouterr().err
    assert generated(folder) == OK
    out = capsys.readouterr().out
    assert f"{folder / 'cases.yaml'}: 6 cases added.\n" in out
    told = "4 of 4 rows matched, 3 of 3 bounds tried on both sides, 0 of 6 threshold changes unnoticed"
    assert told in out
    text = (folder / "cases.yaml").read_text(encoding="utf-8")
    assert text.startswith(
        "policy: small\n\nas_of: 2026-01-01\nfacts_base:\n  # An example made from the types"
    )
    assert "owed: 100, known: {value: false, verified_by: example}}" in text
    for value in ("today: 2026-06-30", "today: 2026-07-01", "owed: 100.49", "owed: 100.50", "2027-01-02"):
        assert value in text
    assert generated(folder) == OK
    assert (folder / "cases.yaml").read_text(encoding="utf-8") == text  # nothing is missing any more


@pytest.mark.parametrize(
    "cases", ["cases: []", "cases: []   # none yet", "cases:", "as_of: 2026-03-01\ncases: []"]
)
def test_a_file_without_a_case_is_opened(folder: Path, cases: str) -> None:
    path = folder / "cases.yaml"
    path.write_text(f"# ours\npolicy: small\n{cases}\n", encoding="utf-8")
    assert generated(folder) == OK
    text = path.read_text(encoding="utf-8")
    assert text.startswith("# ours\npolicy: small\n")
    assert text.count("as_of:") == 1


@pytest.mark.parametrize("cases", ["cases: []\nas_of: 2026-03-01", "cases: [{case: a, expect: {grade: B}}]"])
def test_what_cannot_be_added_to_is_refused(folder: Path, cases: str) -> None:
    text = f"policy: small\nas_of: 2026-01-01\n{cases}\n"
    if "expect" in cases:
        text = text.replace(
            "{case: a,", "{case: a, facts: {today: 2026-01-01, since: 2026-01-01, owed: 1, known: true},"
        )
    (folder / "cases.yaml").write_text(text, encoding="utf-8")
    assert generated(folder) == TROUBLE
    assert (folder / "cases.yaml").read_text(encoding="utf-8") == text


def test_a_bound_that_stays_untried_is_told_with_why(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "policy.yaml"
    path.write_text(POLICY.replace("owed >= 100.50", "owed * 0 + 1 >= 100.50"), encoding="utf-8")
    assert generated(folder) == OK
    out = capsys.readouterr().out
    where = "late (line 12), `owed * 0 + 1 >= 100.50`"
    assert f"not tried on both sides: {where}: no facts were found that make owed * 0 + 1 100.50" in out
    assert f"unnoticed: {where}: 100.50 as 99.50: no facts were found" in out


def test_cases_may_all_be_rows_and_are_updated_in_their_place(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = folder / "cases.csv"
    path.write_bytes(TABLE.encode())
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    assert f"FAILED first one\n  --> {path}:3:" in capsys.readouterr().out
    (folder / "policy.yaml").write_text(POLICY.replace(", verified: true", ""), encoding="utf-8")
    plain = POLICY.replace(", verified: true, when_unverified: {refer, reason: UNSURE}", "")
    (folder / "policy.yaml").write_text(plain, encoding="utf-8")
    assert run(forbear, ["test", str(folder), "--update"]) == OK
    assert f"{path}: 5 expectations updated." in capsys.readouterr().out
    updated = TABLE.replace("true,,A,decided,UNSURE", "true,,B,decided,[]")
    assert path.read_bytes() == updated.replace('"A",referred,UNSURE', '"B",decided,[]').encode()
    assert run(forbear, ["test", str(folder)]) == OK


@pytest.mark.parametrize("both", [False, True])
def test_a_mistake_in_a_row_is_told_at_its_cell(
    folder: Path, capsys: pytest.CaptureFixture[str], *, both: bool
) -> None:
    path = folder / "cases.csv"
    path.write_bytes(TABLE.replace(" 50.00 ", "fifty").encode())
    if both:
        (folder / "cases.yaml").write_text("policy: small\nas_of: 2026-01-01\ncases: []\n", encoding="utf-8")
    assert run(forbear, ["test", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    first, second, *_ = out.splitlines()
    assert first == "error[not-a-number]: fact `owed` is `fifty`, not a number"
    assert second == f"  --> {path}:5:45 (row 2, column owed)"
    assert "\n  5 | " in out
    assert "^^^^^\n" in out
    assert f"no case was run, because {path} has mistakes" in out
    assert run(forbear, ["test", str(folder), "--format", "junit"]) == FINDINGS
    assert f'name="the file can be read" file="{path}" line="5">' in capsys.readouterr().out
