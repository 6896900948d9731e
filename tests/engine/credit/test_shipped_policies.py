"""The policies that are shipped load without a doubt, and their cases hold."""

from __future__ import annotations

import gzip
from collections import Counter, defaultdict
from csv import DictReader
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from engine.credit import CreditPolicy, Fact, compile_policy, load_credit, render_report, run_cases
from engine.source import Severity

POLICIES = Path(__file__).parents[3] / "policies"
NAMES = ["consumer-credit", "sme-credit", "key-account-credit", "uci-card-credit"]
UCI = POLICIES.parents[1] / "shared" / "data" / "taiwan_credit_card_default.csv.gz"


def shipped(name: str) -> CreditPolicy:
    loaded = load_credit({"policy.yaml": (POLICIES / name / "policy.yaml").read_bytes()})
    assert loaded.policy is not None
    assert {problem.severity for problem in loaded.problems} <= {Severity.INFO}
    return loaded.policy


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_is_named_like_the_policy(name: str) -> None:
    assert shipped(name).name == name


@pytest.mark.parametrize("name", NAMES)
def test_the_cases_hold_interpreted_and_compiled(name: str) -> None:
    report = run_cases(shipped(name), (POLICIES / name / "cases.yaml").read_bytes(), "cases.yaml")
    assert report.passed, render_report(report)
    assert len(report.results) >= 20


@pytest.mark.parametrize("name", NAMES)
def test_every_row_is_matched_by_some_case(name: str) -> None:
    policy = shipped(name)
    report = run_cases(policy, (POLICIES / name / "cases.yaml").read_bytes(), "cases.yaml")
    matched: set[tuple[str, int]] = set()
    rows: set[tuple[str, int]] = set()
    for result in report.results:
        assert result.decision is not None
        for trace in result.decision.trace:
            rows |= {(trace.decision, row.row) for row in trace.rows}
            matched |= {(trace.decision, row.row) for row in trace.rows if row.matched}
    assert len(rows - matched) <= len(rows) // 4, sorted(rows - matched)


@pytest.mark.parametrize("name", NAMES)
def test_every_reason_has_an_english_and_a_chinese_text(name: str) -> None:
    assert all({"en", "zh"} <= set(reason.text) for reason in shipped(name).reasons.values())


def test_no_shipped_policy_reads_what_a_person_is() -> None:
    barred = {"age", "sex", "gender", "marriage", "education", "religion", "nationality", "address"}
    for name in NAMES:
        assert not barred & {fact.lower() for fact in shipped(name).facts}


@pytest.mark.kit
@pytest.mark.skipif(not UCI.exists(), reason="the data set is not beside the project")
def test_the_default_rate_rises_from_grade_to_grade_in_the_real_file() -> None:
    compiled = compile_policy(shipped("uci-card-credit"))
    customers, defaults = Counter[str](), Counter[str]()
    limits: dict[str, Decimal] = defaultdict(Decimal)
    with gzip.open(UCI, "rt", encoding="utf-8-sig") as file:
        for row in DictReader(file):
            decision = compiled.decide(uci_facts(row), date(2005, 10, 1))
            grade = decision.outcome["grade"]
            customers[grade] += 1
            defaults[grade] += int(row["default payment next month"])
            limits[grade] += decision.outcome["credit_limit"].value
    assert customers == {"A": 6660, "B": 6632, "C": 6936, "D": 5672, "E": 4100}
    rates = [defaults[grade] / customers[grade] for grade in "ABCDE"]
    assert rates == sorted(rates)
    assert [round(rate, 3) for rate in rates] == [0.081, 0.106, 0.157, 0.290, 0.648]
    assert limits["E"] == 0


def uci_facts(row: dict[str, str]) -> dict[str, Fact]:
    """Return one row of the data set as facts; the file has PAY_0 where its other columns have 1."""
    columns = {"limit_bal": "LIMIT_BAL", "pay_1": "PAY_0"}
    columns |= {f"pay_{month}": f"PAY_{month}" for month in range(2, 7)}
    columns |= {f"bill_amt_{month}": f"BILL_AMT{month}" for month in range(1, 7)}
    columns |= {f"pay_amt_{month}": f"PAY_AMT{month}" for month in range(1, 6)}
    return {fact: Fact(value=int(Decimal(row[column]))) for fact, column in columns.items()}
