from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from api.demo import report
from api.demo.network import Order
from workflows.audit.report import AuditReport, RunReport, Verdict

AT = datetime(2026, 3, 2, 1, tzinfo=UTC)


def order(step: str, do: str, hours: int, case: str = "case/A1/1", **changes: Any) -> Order:
    said: dict[str, Any] = {
        "key": f"{case}/account/{step}/1/{do}/do", "account": case.split("/")[1], "do": do, "args": (),
        "step": step, "undo": False, "level": "", "amount": Decimal(0), "at": AT + timedelta(hours=hours),
        "not_after": None,
    }  # fmt: skip
    return Order(**said | changes)


ORDERS = [
    order("suspend", "service", 5, level="suspended"),
    order("reminder", "notify", 1),
    order("final_notice", "notify", 2),
    order("late_fee", "fee", 6, args=("late_fee",)),
    order("final_notice", "task", 7, args=("missing_receipt", "notify")),
    order("suspend", "service", 8, level="open", undo=True),
    order("reminder", "notify", 3, case="case/A2/1"),
]
CASES = [
    {"workflow": "case/A1/1", "account": "A1", "ended": "cured"},
    {"workflow": "case/A2/1", "account": "A2", "ended": ""},
    {"workflow": "case/A3/1", "account": "A3", "ended": "cured"},
]


def test_the_deepest_step_is_the_last_row_of_the_ladder_that_was_asked_for() -> None:
    found = report.deepest_steps(CASES, ORDERS)
    assert found == {"case/A1/1": "suspend", "case/A2/1": "reminder", "case/A3/1": ""}


def test_cases_are_counted_by_step_and_end() -> None:
    lines = report.cases(CASES, ORDERS, published=True).splitlines()
    assert lines[0].strip() == "3 cases of 3 accounts were opened; by the last step they reached:"
    rows = [line.split() for line in lines if line.strip() and "-----" not in line]
    assert ["before", "the", "first", "step", "1", "-"] in rows
    assert ["all", "2", "1"] in rows
    assert "1 of them restored (100.0 %; published 84.6%)" in lines[-1]


def decided(grade: str, limit: str, *reasons: str, policy: str = "consumer-credit") -> dict[str, Any]:
    outcome = {"grade": grade, "credit_limit": {"unit": "CNY", "value": limit}}
    return {"policy": policy, "status": "decided", "outcome": outcome, "reasons": list(reasons)}


def test_grades_are_summed_by_policy() -> None:
    decisions = {
        "C1": decided("A", "100.00"),
        "C2": decided("A", "300.00"),
        "C3": decided("B", "50.00", "LATE"),
    }
    lines = report.grades(decisions).splitlines()
    assert lines[2].split() == ["consumer-credit", "A", "2", "66.7", "%", "200.00", "-", "0.00", "-"]
    assert lines[3].split()[-1] == "LATE"


def test_moves_go_from_the_line_to_the_column() -> None:
    first = {"C1": decided("A", "1"), "C2": decided("A", "1")}
    last = {"C1": decided("A", "1"), "C2": decided("B", "1")}
    lines = report.moves(first, last, date(2026, 2, 1), date(2026, 12, 31)).splitlines()
    assert [line.split() for line in lines[-2:]] == [["A", "1", "1"], ["B", "-", "-"]]


def test_the_peak_is_the_first_day_of_the_most() -> None:
    by_day = {date(2026, 1, 30): Decimal(5), date(2026, 1, 31): Decimal(9), date(2026, 2, 1): Decimal(9)}
    said = report.overdue(by_day, "CNY")
    assert "at its peak 9.00 at the end of 2026-01-31, now (2026-02-01) 9.00" in said
    assert said.splitlines()[1].split() == ["Jan", "9.00", "#" * 30]


def test_a_story_gives_the_reason_of_each_step() -> None:
    line = {"at": AT.isoformat(), "what": "asked", "text": "notify(sms)", "why": "overdue 20.00"}
    told = report.story({"workflow": "case/A1/1", "story": [line]}, "Asia/Shanghai").splitlines()
    assert told[1].split() == ["2026-03-02", "09:00", "asked", "notify(sms)"]
    assert told[2].strip() == "because overdue 20.00"


def test_the_audit_counts_what_differs() -> None:
    verdicts = (Verdict("a", "step", "agrees"), Verdict("b", "step", "differs"))
    run = RunReport("case/A1/1", "r", "ArrearsCase", 12, True, True, "COMPLETED", (), verdicts)
    found = AuditReport(runs=(run,))
    assert report.audited(found).splitlines()[-1].split() == ["step", "2", "1", "1"]
