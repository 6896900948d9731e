"""Actions as they are asked for: keys, figures, hours, deadlines, and the undoing of what was done."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from engine.ladder.case import Case, later, minutes
from engine.ladder.channels import asks_for, language, resolved, same_channel
from engine.ladder.contact import silent_from, speaks_from, together_from
from engine.ladder.gates import person_gate, row_gate, run_on
from engine.ladder.late_fee import accrued
from engine.ladder.law import LawPack
from engine.ladder.measure import HORIZON, turning_days
from engine.ladder.memory import GONE, Row, do_of, token_of
from engine.ladder.model import PRINCIPAL, CollectionsPolicy, Do, DoItem, LadderRow, severe
from engine.ladder.noticed import stands_from
from engine.ladder.state import Action
from engine.ladder.waits import ready_on
from engine.ledger.account import LEVELS

ZERO = Decimal(0)
MARGIN = timedelta(hours=12)
"""A person hears of an unconfirmed restoration this long before the law's deadline."""


def key_of(case: Case, step: str, entry: int, token: str, way: str = "do", item: str = "") -> str:
    """Return the key of an action: `case/item/step/entry/action/do|undo` (rule 7)."""
    return f"{case.taken.case}/{item or case.taken.item or 'account'}/{step}/{entry}/{token}/{way}"


def asked_items(case: Case, row: Row, definition: LadderRow) -> list[DoItem]:
    """Return the actions of a row that can be asked for now: nothing behind an approval that is not given."""
    found = []
    asked = row.keys
    has_effect = any(item.do in PRINCIPAL and item.do != "approve" for item in definition.do)
    for item in definition.do:
        if item.do == "fee" and has_effect:
            continue  # a fee is for an effect: it is asked for when that is confirmed
        if not _is_asked(definition, asked, item) and not _idle(case, item):
            found.append(item)
        if item.do == "approve" and not _approved(case, row, item):
            break
    return found


def _is_asked(definition: LadderRow, keys: tuple[str, ...], item: DoItem) -> bool:
    """Tell whether an action was asked for, on whatever channel; each by itself where a text has several."""
    if same_channel(definition):
        return any(asks_for(key, item) for key in keys)
    return any(token_of(key) == item.token for key in keys)


def _approved(case: Case, row: Row, item: DoItem) -> bool:
    return any(token_of(key) == item.token and row.words.get(key) == "done" for key in row.keys)


def _idle(case: Case, item: DoItem) -> bool:
    """Tell whether an action would do nothing: the level is in force already, no deposit is held."""
    if item.do == "apply":
        return case.account.deposit <= 0
    if item.level:
        return LEVELS.index(case.own_level()) >= LEVELS.index(item.level)
    return False


def ask(case: Case, row: Row, definition: LadderRow, items: list[DoItem]) -> list[Action]:
    """Return the actions of some items of a row, and note their keys in the row."""
    actions = [_action(case, row, definition, resolved(case, item, row.tries)) for item in items]
    if row.keys:
        row.asked_at = case.at
    row.keys += tuple(action.key for action in actions)
    stated = [action.figures["last_day"] for action in actions if "last_day" in action.figures]
    if stated:
        row.last_day = date.fromisoformat(max(stated))
    if any(item.do == "apply" for item in items):
        row.deposit = case.account.deposit
    if definition.level != "open":
        row.level = definition.level
    own = case.own_level()
    told = case.told_level(own)
    return [
        action.model_copy(update={"level": told}) if action.do in ("service", "terminate") else action
        for action in actions
    ]


def _action(case: Case, row: Row, definition: LadderRow, item: DoItem) -> Action:
    is_severe = severe(item) or (item.do == "notify" and definition.required)
    before, after = hours(case, definition, item, is_severe)
    measures = case.view.on(case.today)
    return Action(
        key=key_of(case, row.step, row.entry, item.token),
        do=item.do,
        args=item.args,
        step=row.step,
        severe=is_severe,
        debts=row.debts,
        amount=_amount(
            case, item, measures.overdue_of(row.debts) if _hands_over(item, definition) else measures.overdue
        ),
        figures=_figures(case, definition, row) if item.do == "notify" else {},
        language=language(case, item.args[1]) if item.do == "notify" else "",
        not_before=before,
        not_after=after,
        confirm_by=later(case.at, case.policy.confirm.within),
    )


def _hands_over(item: DoItem, definition: LadderRow) -> bool:
    return definition.places and item.do in ("place", "approve")


def _amount(case: Case, item: DoItem, overdue: Decimal) -> Decimal:
    if item.do == "fee":
        return case.policy.fees.get(item.args[0], ZERO)
    if item.do == "apply":
        return min(case.account.deposit, overdue)
    return overdue


def hours(
    case: Case, definition: LadderRow, item: DoItem, is_severe: bool
) -> tuple[datetime | None, datetime | None]:  # fmt: skip
    """Return from when on, and until when, an action of now may be carried out; None: no such limit."""
    before: datetime | None = None
    if item.do == "notify":
        start = together_from(case, case.at) if case.policy.contact.consolidate else case.at
        speaks = speaks_from(case, item.args[0], start)
        before = speaks.astimezone(case.zone) if speaks > case.at else None
    if not is_severe:
        return before, None
    day = before.date().toordinal() if before else case.today
    end = case.instant((day + 1, 0))
    if definition.interrupts and case.policy.interruptions.window:
        end = case.instant((day, minutes(case.policy.interruptions.window[1])))
    elif item.do == "notify":
        silent = silent_from(case, item.args[0], before or case.at)
        end = min(end, silent) if silent else end
    return before, end


# figures


def figures(case: Case, definition: LadderRow) -> dict[str, str]:
    """Return the figures that a notice states: what is owed, by when to pay, and what happens then."""
    measures = case.view.on(case.today)
    disputed = sum((debt.disputed for debt in case.account.debts if not debt.written_off), ZERO)
    found = {
        "currency": case.policy.currency,
        "overdue": str(measures.overdue),
        "disputed": str(disputed),
        "late_fee": str(accrued(case, case.today)),
        "fees": str(sum((amount for _, amount in case.view.fees), ZERO)),
        "days_past_due": str(measures.days_past_due),
        "debts": ", ".join(measures.debts),
    }
    if case.policy.interest:
        found["interest"] = str(accrued(case, case.today, "interest"))
    falls_due = [d for d in case.account.debts if d.open and not d.written_off and d.due_date >= _today(case)]
    if falls_due:
        first = min(debt.due_date for debt in falls_due)
        amount = sum((debt.open for debt in falls_due if debt.due_date == first), ZERO)
        found |= {"next_due": first.isoformat(), "next_due_amount": str(amount)}
    if following := next_after(case, definition):
        row, day = following
        found |= {
            "next_step": row.step,
            "next_date": date.fromordinal(day).isoformat(),
            "last_day": date.fromordinal(day - 1).isoformat(),
        }
    return found


_FOLLOWS = ("next_step", "next_date", "last_day")


def _figures(case: Case, definition: LadderRow, row: Row) -> dict[str, str]:
    """Return the figures of a row's notice; one that is sent again says what follows for debts new in it.

    Where no cut rests on it, it says nothing of that: what follows is stated by the notices that come later.
    """
    if not row.announces:
        return figures(case, definition)
    stands = stands_from(case, definition, row)
    if stands is None:
        return {name: value for name, value in figures(case, definition).items() if name not in _FOLLOWS}
    cut, day = stands
    if LEVELS.index(case.own_level()) < LEVELS.index(cut.level):
        day = possible_day(case, cut, day) or day
    return figures(case, definition) | {
        "next_step": cut.step,
        "next_date": date.fromordinal(day).isoformat(),
        "last_day": date.fromordinal(day - 1).isoformat(),
    }


def _today(case: Case) -> date:
    return date.fromordinal(case.today)


def next_after(case: Case, definition: LadderRow) -> tuple[LadderRow, int] | None:
    """Return the row that can follow a row, and the earliest day on which it can, if nothing is paid.

    What is in force already, or has nothing to do, does not follow: what comes behind it does, beside all
    else that comes behind the notice. Of several the earliest is stated: what a notice has said binds.
    """
    days = {definition.step: _today(case)}
    best: tuple[LadderRow, int] | None = None
    for row in case.ladder.rows:
        first = not row.after and row.index > definition.index
        if row.step == definition.step or not (first or row.after in days):
            continue
        taken = case.taken_row(row.step)
        if case.counts(taken, case.today):
            days[row.step] = taken.waits_from if taken and taken.waits_from else _today(case)
        elif not case.barred(row, case.today) and (day := _comes_on(case, definition, row, days)):
            if all(_idle(case, item) for item in row.do):
                days[row.step] = date.fromordinal(day)
            elif best is None or day < best[1]:
                best = (row, day)
    return best


def _comes_on(case: Case, notice: LadderRow, row: LadderRow, days: dict[str, date]) -> int | None:
    """Return the first day on which a row can be taken, by the days on which those before it are done."""
    done = days.get(row.after, _today(case))
    waits = ready_on(row.wait, done, case.due_of_anchor(case.today)).toordinal()
    return possible_day(case, row, max(case.today + 1, waits, _noticed_on(case, notice, row)))


def _noticed_on(case: Case, notice: LadderRow, row: LadderRow) -> int:
    """Return the first day on which a row can follow a notice of today that it rests on."""
    found = case.notice_before(row) if row.interrupts else None
    if found is None or found[0] is not notice:
        return case.today
    return ready_on(found[1].wait, _today(case), case.due_of_anchor(case.today)).toordinal()


def possible_day(case: Case, row: LadderRow, ready: int) -> int | None:
    """Return the first day from `ready` on, on which a row can be taken: cells, runs, calendar and law."""
    rules = case.policy.interruptions
    start = minutes(case.policy.case.hour)
    clock = max(start, minutes(rules.window[0])) if row.interrupts and rules.window else start
    for _ in range(HORIZON):
        day = first_day(case, row, ready)
        if day is None:
            return None
        ready = run_on(case, row, day)
        gate = person_gate(case, ready) or row_gate(case, row, (ready, clock), fresh=True)
        if ready == day and (gate is None or gate.retry is None or gate.task or gate.retry[0] <= day):
            return day
        if gate and gate.retry:
            ready = max(ready, gate.retry[0])
    return None


def first_day(case: Case, row: LadderRow, ready: int) -> int | None:
    """Return the first day from `ready` on, on which a row's cells hold if nothing comes in."""
    days = {ready}
    for part in case.view.slices:
        days.update(day for day in turning_days(row, part) if day > ready)
        if part.due + 1 > ready:
            days.add(part.due + 1)
    last = case.today + HORIZON
    return next((day for day in sorted(days) if day <= last and case.holds(row, day)), None)


# undoing

_UNDONE_DO: dict[str, Do] = {"place": "recall", "orders": "orders", "billing": "billing", "fee": "fee"}
_UNDONE_ARGS = {"billing": ("resume",), "orders": ("allow_changes",)}


def undo(case: Case, rows: list[tuple[Row, str]]) -> list[Action]:
    """Take rows out of force: return what must be undone, each effect once, service by its level."""
    before = case.own_level()
    leaving = [row for row, _ in rows]
    case.rows = [row for row in case.rows if not any(row is other for other in leaving)]
    after = case.own_level()
    actions: list[Action] = []
    by_level = sorted(
        (r for r in leaving if r.demands != "open"), key=lambda r: LEVELS.index(r.demands), reverse=True
    )  # fmt: skip
    service = _service_undo(case, by_level[0]) if by_level and after != before else None
    if service:
        actions.append(service)
    for row in leaving:
        more = [a for key in row.keys if (a := _effect_undo(case, row, key))]
        keys = [service.key] if service and row in by_level else []
        actions += more
        if keys or more:
            row.undo_keys += (*keys, *(a.key for a in more))
            row.undone_at = case.at
        row.left_on = _today(case)
    case.left += leaving
    return actions


def _service_undo(case: Case, row: Row) -> Action:
    return _restored(case, row, next(key for key in row.keys if do_of(key) in ("service", "terminate")))


def _restored(case: Case, row: Row, key: str) -> Action:
    return Action(
        key=f"{key.rpartition('/')[0]}/undo",
        do="service",
        args=(case.own_level(),),
        step=key.rsplit("/", 4)[1],
        undo=True,
        debts=row.debts,
        level=case.told_level(case.own_level()),
        confirm_by=later(case.at, restored_within(case)),
    )


def restored_within(case: Case) -> timedelta:
    """Return how long a restoration may stay unconfirmed before a person hears of it."""
    return restoring_within(case.policy, case.law)


def restoring_within(policy: CollectionsPolicy, law: LawPack) -> timedelta:
    """Return how long a restoration may stay unconfirmed under a policy and the law of the day."""
    limits = [clause.within - MARGIN for clause in law.clauses_on("restoration") if clause.within]
    return min([policy.confirm.restored_within, *limits])


def undo_fees(case: Case, row: Row) -> list[Action]:
    """Return the reversal of a row's fees that still stand: what they were for had no effect."""
    found = [undone(case, row, key) for key in row.fees]
    if found:
        row.undo_keys += tuple(action.key for action in found)
        row.undone_at = case.at
    return found


def _effect_undo(case: Case, row: Row, key: str) -> Action | None:
    do = do_of(key)
    wrongful_fee = key in row.fees and row.state in GONE
    if row.lifted or row.words.get(key) in GONE or not (do in ("orders", "billing", "place") or wrongful_fee):
        return None
    return undone(case, row, key)


def undone(case: Case, row: Row, key: str) -> Action:
    """Return the undoing of the action of a key, which may be asked for under another entry."""
    do = do_of(key)
    if do in ("service", "terminate"):
        return _restored(case, row, key)
    args = _UNDONE_ARGS.get(do, tuple(token_of(key).split(".")[1:]))
    return Action(
        key=f"{key.rpartition('/')[0]}/undo",
        do=_UNDONE_DO[do],
        args=args,
        step=row.step,
        undo=True,
        debts=row.debts,
        amount=case.policy.fees.get(args[0], ZERO) if do == "fee" else ZERO,
        confirm_by=later(case.at, case.policy.confirm.within),
    )


def untold(case: Case, action: Action) -> list[Action]:
    """Return a task for a person if it was not asked for yet."""
    return [] if action.key in case.taken.told else [action]


def task(case: Case, step: str, entry: int, *what: str) -> Action:
    """Return a task for a person about a step."""
    token = ".".join(("task", *what))
    return Action(key=key_of(case, step, entry, token), do="task", args=what, step=step)
