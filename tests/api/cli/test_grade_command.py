import json
import re
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import OK, TROUBLE, run

POLICIES = Path(__file__).parents[3] / "policies"
FACTS = {
    "value": "mid", "id_verified": True, "prior_write_off": False, "direct_debit": False, "tenure_months": 14,
    "avg_monthly_bill": "88.00", "max_dpd_12m": 12, "arrears_count_12m": 1, "late_count_12m": 1,
    "returned_payments_12m": 0, "on_time_rate_12m": "0.92", "suspensions_12m": 0, "broken_promises_12m": 0,
    "overdue_now": "0.00",
}  # fmt: skip


def grade(tmp_path: Path, facts: str, *more: str) -> int:
    (tmp_path / "facts.json").write_text(facts, encoding="utf-8")
    arguments = [
        "--policy",
        "consumer-credit",
        "--in",
        str(tmp_path / "facts.json"),
        "--policies",
        str(POLICIES),
    ]
    return run(forbear, ["grade", *arguments, "--as-of", "2026-06-30", *more])


def test_a_decision_is_told_with_its_reasons(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(tmp_path, json.dumps(FACTS)) == OK
    out = capsys.readouterr().out
    assert "as of 2026-06-30: decided" in out
    assert " CNY" in out
    assert "reason " in out
    assert "row 1" not in out


def test_a_fact_without_a_day_is_of_the_day_of_the_decision(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grade(tmp_path, json.dumps(FACTS))
    plain = capsys.readouterr().out
    grade(tmp_path, json.dumps(FACTS | {"avg_monthly_bill": {"value": "88.00", "source": "erp"}}))
    assert capsys.readouterr().out == plain


@pytest.mark.parametrize("more", [[], ["--explain"]])
def test_a_fact_that_is_too_old_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], more: list[str]
) -> None:
    grade(
        tmp_path, json.dumps(FACTS | {"avg_monthly_bill": {"value": "88.00", "as_of": "2020-01-01"}}), *more
    )
    assert "avg_monthly_bill: it is of 2020-01-01, older than P3M" in capsys.readouterr().out


def test_explaining_shows_what_a_row_that_matched_looked_at_and_gave(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = Path(__file__).parents[3]
    call = ["grade", "--policy", "consumer-credit", "--policies", str(root / "policies"), "--explain"]
    call += ["--in", str(root / "fixtures/facts/consumer.json"), "--as-of", "2026-06-30"]
    assert run(forbear, call) == OK
    out = capsys.readouterr().out
    rows = (root / "policies/consumer-credit/policy.yaml").read_text(encoding="utf-8").splitlines()
    lines = {re.sub(r"\s+", "", row): number for number, row in enumerate(rows, 1)}
    of_bin = lines["|tenure_months|[12..24)||30|SHORT_TENURE|"]
    of_grade, of_limit = lines["|0|[430..500)||C|"], lines['|"C"|-||1.50|50.00|500.00|']
    assert f"  * row 3 (line {of_bin}): tenure_months 14 is [12..24) => 30 points, SHORT_TENURE\n" in out
    assert f"  * row 4 (line {of_grade}): count(knockout) 0, score 490 is [430..500) => grade C\n" in out
    assert f'  * row 5 (line {of_limit}): grade "C" => multiple 1.50, floor 50.00, cap 500.00\n' in out
    nearest = "share of bills paid on time in the last year of 0.95 or more (0.03 more) the grade would be B"
    assert f"with {nearest}\n" in out


def test_explaining_shows_every_row(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(tmp_path, json.dumps(FACTS), "--explain") == OK
    assert "is not" in capsys.readouterr().out


def test_json_is_the_whole_decision(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(tmp_path, json.dumps(FACTS), "--format", "json") == OK
    said = json.loads(capsys.readouterr().out)
    assert said["policy"] == "consumer-credit"
    assert said["outcome"]["credit_limit"]["unit"] == "CNY"
    assert "trace" not in said


@pytest.mark.parametrize(
    ("facts", "sentence"),
    [
        ("{", "is not JSON: "),
        ("[" * 100_000, "is nested too deep"),
        ('{"value": ' + "[" * 400 + "]" * 400 + "}", "`value` is"),
        ("[1]", "is not a JSON object"),
        ('{"value": 1e7000}', "`1e7000` is too large; numbers end at 1e6144"),
        (r'{"value": "\ud83d"}', "half of a surrogate pair"),
        ('{"value": "mid", "value": "low"}', "`value` stands there twice"),
        ('{"value": NaN}', "`NaN` is no number"),
        (json.dumps(FACTS | {"tenur_months": 3}), "did you mean `tenure_months`?"),
        (json.dumps({k: v for k, v in FACTS.items() if k != "id_verified"}), "`id_verified` is missing"),
        (
            json.dumps(FACTS | {"overdue_now": {"value": 1, "asof": "2026-01-01"}}),
            "fact `overdue_now`: `asof`",
        ),
    ],
)
def test_wrong_facts_are_one_clear_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], facts: str, sentence: str
) -> None:
    assert grade(tmp_path, facts) == TROUBLE
    assert sentence in capsys.readouterr().err


def test_an_unknown_policy_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["grade", "--policy", "consumer-credt", "--in", "-", "--policies", str(POLICIES)]
    assert run(forbear, arguments) == TROUBLE
    assert "did you mean `consumer-credit`?" in capsys.readouterr().err


def test_a_day_before_the_policy_is_warned_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert grade(tmp_path, json.dumps(FACTS), "--as-of", "2019-12-31") == OK
    assert "is before that" in capsys.readouterr().err
    assert grade(tmp_path, json.dumps(FACTS)) == OK
    assert capsys.readouterr().err == ""


def test_values_are_written_as_expressions_write_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "policy.yaml").write_text(
        """
policy: sample
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
facts: {a: {type: integer, optional: true}}
decisions:
  terms:
    table: |
      | a    || multiple | known |
      | null || 0        | false |
      | >= 0 || 1.50     | true  |
  several: '[a, "x", date("2026-01-31")]'
outcome: {terms: terms, a: a, several: several, known: terms.known}
""",
        encoding="utf-8",
    )
    (tmp_path / "facts.json").write_text("{}", encoding="utf-8")
    arguments = ["grade", "--policy", str(tmp_path), "--in", str(tmp_path / "facts.json"), "--explain"]
    assert run(forbear, [*arguments, "--as-of", "2026-06-30"]) == OK
    out = capsys.readouterr().out
    assert "terms          {multiple: 0, known: false}" in out
    assert 'several        [null, "x", @"2026-01-31"]' in out
    assert "a              null" in out
    assert "from a = null" in out
    for word in ("None", "Decimal", "True", "False", "'", "datetime"):
        assert word not in out
