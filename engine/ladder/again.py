"""What is asked for again because it had no effect: undoing that failed, and billing after a termination.

A line that stays cut without a reason is the worst that can be left of a case. So a person hears of a
restoration at the moment at which it fails, it is asked for again under a new entry, each time in good time
before the deadline of the law, and the case goes on until somebody has said that it is done.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from engine.ladder.actions import ask, key_of, restored_within, task, undone, untold
from engine.ladder.case import Case, later
from engine.ladder.channels import asks_for
from engine.ladder.memory import GONE, LOST, Row, do_of, token_of
from engine.ladder.state import Action
from engine.ledger.account import LEVELS

SERVICE = frozenset(("service", "terminate"))


def asked_again(case: Case) -> list[Action]:
    """Return what is asked for again now, and what a person is asked to see to."""
    actions: list[Action] = []
    for row, tries in _failed(case):
        if _is_idle(case, row, tries[-1]):
            row.words[tries[-1]] = "withdrawn"
            case.notes.append(f"undoing `{row.step}` had no effect, and is not needed any more")
            continue
        actions += _tell(case, row, tries)
        if len(tries) < case.policy.contact.attempts and _again_on(case, row, tries) <= case.at:
            actions.append(_undo_again(case, row, tries))
    for row in case.rows:
        actions += _complete(case, row)
    return actions


def again_on(case: Case) -> Iterator[datetime]:
    """Yield the instants at which something is asked for again, if no other word comes."""
    most = case.policy.contact.attempts
    for row, tries in _failed(case):
        if len(tries) < most:
            yield _again_on(case, row, tries)
    for row in case.rows:
        if row.is_incomplete and row.tries < most:
            yield _completed_on(case, row)


def _failed(case: Case) -> Iterator[tuple[Row, tuple[str, ...]]]:
    for row in (*case.rows, *case.left):
        for tries in row.undo_tries:
            if row.words.get(tries[-1]) in LOST and not row.is_undone(tries):
                yield row, tries


def _is_idle(case: Case, row: Row, key: str) -> bool:
    """Tell whether an undoing has no object any more: the same is in force again, or was undone since."""
    do = do_of(key)
    if do == "fee":
        return False
    if do not in SERVICE:
        standing = [
            r for r in case.rows if not r.lifted and (do != "place" or set(row.debts) <= set(r.debts))
        ]
        in_force = (k for r in standing for k in r.keys if r.words.get(k) not in GONE)
        return any(token_of(other) == token_of(key) for other in in_force)
    cut = row.level or "open"
    if LEVELS.index(case.own_level()) >= LEVELS.index(cut):
        return True
    return any(
        other.undone_at and row.undone_at and other.undone_at > row.undone_at
        and any(do_of(k) in SERVICE for k in other.undo_keys)
        for other in (*case.rows, *case.left)
    )  # fmt: skip


def _tell(case: Case, row: Row, tries: tuple[str, ...]) -> list[Action]:
    what = "restore_failed" if do_of(tries[0]) in SERVICE else "undo_failed"
    asked = task_about(tries[0], what)
    if asked.key in row.words:
        return []  # an earlier case has told of it
    for other in _sharing(case, tries[0]):
        other.words.setdefault(asked.key, "requested")
    return untold(case, asked.model_copy(update={"debts": row.debts}))


def task_about(key: str, what: str) -> Action:
    """Return the task for a person about an undoing that failed; it has the case and the entry of its key."""
    head, step, entry, token, _ = key.rsplit("/", 4)
    args = (what, token)
    return Action(key=f"{head}/{step}/{entry}/task.{what}.{token}/do", do="task", args=args, step=step)


def _sharing(case: Case, key: str) -> list[Row]:
    return [row for row in (*case.rows, *case.left) if key in row.undo_keys]


def _again_on(case: Case, row: Row, tries: tuple[str, ...]) -> datetime:
    """Return when to ask again: at once the first time, then evenly over what is left before the deadline."""
    within = restored_within(case) if do_of(tries[0]) in SERVICE else case.policy.confirm.within
    assert row.undone_at is not None  # it has keys of undoing
    return later(row.undone_at, within * (len(tries) - 1) / case.policy.contact.attempts)


def _undo_again(case: Case, row: Row, tries: tuple[str, ...]) -> Action:
    step = tries[0].rsplit("/", 4)[1]
    entry = case.entries.get(step, 0) + 1
    case.entries[step] = entry
    key = key_of(case, step, entry, token_of(tries[0]), "undo")
    within = restored_within(case) if do_of(tries[0]) in SERVICE else case.policy.confirm.within
    for other in _sharing(case, tries[0]):
        other.undo_keys += (key,)
        if other.undone_at and later(other.undone_at, within) <= case.at:
            other.undone_at = case.at  # its word was taken back when the time was over
    case.notes.append(f"undoing `{step}` had no effect: asked for again")
    return undone(case, row, key)


# a termination that did not do all it should


def goes_on(case: Case, row: Row) -> bool:
    """Tell whether what goes with a termination is still to be confirmed, or to be asked for again."""
    if row.is_incomplete:
        return row.tries < case.policy.contact.attempts
    return row.ends_contract and row.state == "requested"


def _completed_on(case: Case, row: Row) -> datetime:
    within = case.policy.confirm.within * (row.tries - 1) / case.policy.contact.attempts
    return later(row.requested_at, within)


def _complete(case: Case, row: Row) -> list[Action]:
    """Ask again for what failed beside a termination: the contract is over whatever becomes of it."""
    definition = case.definition(row)
    if definition is None or not row.is_incomplete:
        return []
    if row.tries >= case.policy.contact.attempts:
        return untold(case, task(case, row.step, row.entry, "undeliverable"))
    if _completed_on(case, row) > case.at:
        return []
    lost = row.lost_keys
    row.keys = tuple(key for key in row.keys if key not in row.lost_keys)
    row.entry = case.entries.get(row.step, 0) + 1
    case.entries[row.step] = row.entry
    row.tries += 1
    case.notes.append(f"`{row.step}` has ended the contract; what failed beside it is asked for again")
    items = [item for item in definition.do if any(asks_for(key, item) for key in lost)]
    return ask(case, row, definition, items)
