"""The notices before due dates of a sweep, each derived again from what was known of its account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import DecimalException

from engine.ladder import Position
from workflows.announcing import announced
from workflows.audit.redeciding import compared
from workflows.audit.report import DIFFERS, Verdict
from workflows.audit.texts import Texts, TextWrong
from workflows.audit.values import Effect
from workflows.messages import PageRequest, PageResult, ReminderRecord
from workflows.recorded import recorded_digest


def reminders_again(
    effect: Effect, texts: Texts, records: Mapping[str, Sequence[bytes]], where: str
) -> Iterator[Verdict]:
    """Derive every notice of a page again, after checking that the records are the ones it names."""
    asked, page = effect.request, effect.result
    assert isinstance(asked, PageRequest)
    assert isinstance(page, PageResult)
    for account, digest in page.reminded:
        place = f"{where} account {account}"
        record = _record(records.get(digest, ()), digest)
        if record is None:
            said = "what was known of the account is not in the bundle, or is not what the page names"
            yield Verdict(place, "reminder", DIFFERS, (said,))
        elif record.account != account or record.at < asked.at:
            yield Verdict(place, "reminder", DIFFERS, ("the record is of another account or instant",))
        else:
            yield _again(record, texts, place)


def _again(record: ReminderRecord, texts: Texts, where: str) -> Verdict:
    try:
        policy = texts.collections(record.policy)
        position = Position(record.position, texts.law(record.law), texts.calendar(record.calendar))
        again = announced(policy, position, record.at, record.asked)
    except (TextWrong, LookupError, ValueError, DecimalException) as error:
        return Verdict(where, "reminder", DIFFERS, (f"it cannot be derived again: {error}",))
    return compared(where, "reminder", record, again, record.semantics)


def _record(found: Sequence[bytes], digest: str) -> ReminderRecord | None:
    try:
        record = ReminderRecord.model_validate_json(found[0]) if len(found) == 1 else None
    except ValueError:
        return None
    return record if record is not None and recorded_digest(record) == digest else None
