"""The story of a case says why for each line, in the words of the look that did it."""

from datetime import UTC, date, datetime
from decimal import Decimal

from api.rest.story import Line, tell
from api.storage.tables import ActionRow, CaseRow, CaseStepRow
from engine.ladder.state import Action, StepTrace, TraceRow

AT = datetime(2026, 7, 12, 1, tzinfo=UTC)
KEY = "case/A1/1/account/final_notice/2/notify.letter.final_notice/do"


def story(
    trace: StepTrace, *, step: str = "final_notice", do: str = "notify", undo: bool = False
) -> list[Line]:
    """The lines of one look that asked for one action."""
    action = Action(key=KEY, do=do, step=step, undo=undo, amount=Decimal("4203.31"))
    body = f'{{"actions":[{{"key":"{KEY}"}}],"trace":{trace.model_dump_json()}}}'
    case = CaseRow(account="A1", number=1, workflow="case/A1/1", policy="", opened_at=AT)
    look = CaseStepRow(account="A1", number=1, at=AT, reached=step, body=body, digest="")
    asked = ActionRow(
        key=KEY, account="A1", number=1, step=step, do=do, state="requested", policy="", version=1,
        requested_at=AT, body=action.model_dump_json(),
    )  # fmt: skip
    return tell(case, "Asia/Shanghai", [look], [asked], [])


def test_what_a_look_did_to_a_step_goes_before_how_its_row_stands() -> None:
    again = "`final_notice` is sent again: it has not named B-2"
    trace = StepTrace(
        ladder="standard", today=date(2026, 7, 12), anchor=date(2026, 5, 22), age=51, days_past_due=51,
        overdue=Decimal("4203.31"), notes=(again, "`bar` leaves: the level fell below it", again),
        rows=(TraceRow(step="final_notice", warranted=True, reached=True, note="done 2026-06-11"),),
    )  # fmt: skip
    said = {line.what: line.why for line in story(trace)}
    assert said["asked"] == f"overdue 4203.31, oldest debt 51 days old, 51 past due; {again}"


def test_a_debt_of_one_day_and_no_debt_are_told_in_words() -> None:
    first = StepTrace(
        ladder="standard", today=date(2026, 5, 23), anchor=date(2026, 5, 22), age=1, days_past_due=1,
        overdue=Decimal(20),
    )  # fmt: skip
    assert story(first)[0].why == "overdue 20, oldest debt 1 day old, 1 past due"
    row = TraceRow(step="suspend", warranted=False, reached=False, note="nothing is past due")
    paid = StepTrace(ladder="standard", today=date(2026, 8, 10), rows=(row,))
    assert (
        story(paid, step="suspend", do="service", undo=True)[1].why == "nothing is overdue, fees not counted"
    )
    why = "`suspend` leaves: `overdue < 5.00` holds: the case closes"
    left = paid.model_copy(update={"notes": (why,)})
    told = story(left, step="suspend", do="service", undo=True)[1].why
    assert told == f"nothing is overdue, fees not counted; {why}"
