"""What a sweep asked for of deposits, each look derived again from what was known of its account."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import DecimalException

from workflows.audit.redeciding import compared
from workflows.audit.report import DIFFERS, Verdict
from workflows.audit.texts import Texts, TextWrong
from workflows.audit.values import Effect
from workflows.depositing import deposited
from workflows.messages import DepositRecord, PageRequest, PageResult
from workflows.recorded import recorded_digest


def deposits_again(
    effect: Effect, texts: Texts, records: Mapping[str, Sequence[bytes]], where: str
) -> Iterator[Verdict]:
    """Derive every look at a deposit of a page again, after checking that the records are the named ones."""
    asked, page = effect.request, effect.result
    assert isinstance(asked, PageRequest)
    assert isinstance(page, PageResult)
    for account, digest in page.deposited:
        place = f"{where} account {account}"
        record = _record(records.get(digest, ()), digest)
        if record is None:
            said = "what was known of the account is not in the bundle, or is not what the page names"
            yield Verdict(place, "deposit", DIFFERS, (said,))
        elif record.terms.account != account or record.at < asked.at:
            yield Verdict(place, "deposit", DIFFERS, ("the record is of another account or instant",))
        else:
            yield _again(record, texts, place)


def _again(record: DepositRecord, texts: Texts, where: str) -> Verdict:
    try:
        policy = texts.collections(record.policy)
        again = deposited(policy, record.terms, record.entries, record.at, dict(record.known))
    except (TextWrong, LookupError, ValueError, DecimalException) as error:
        return Verdict(where, "deposit", DIFFERS, (f"it cannot be derived again: {error}",))
    return compared(where, "deposit", record, again, record.semantics)


def _record(found: Sequence[bytes], digest: str) -> DepositRecord | None:
    try:
        record = DepositRecord.model_validate_json(found[0]) if len(found) == 1 else None
    except ValueError:
        return None
    return record if record is not None and recorded_digest(record) == digest else None
