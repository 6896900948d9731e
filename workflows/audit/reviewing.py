"""The decisions of a portfolio review, taken again from the records beside the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from workflows.audit.redeciding import record_again
from workflows.audit.report import DIFFERS, Verdict
from workflows.audit.texts import Texts
from workflows.audit.values import Effect
from workflows.chain import running_digest
from workflows.messages import AssessmentRecord, ChunkRequest, ReviewChunk


def chunks_again(
    effect: Effect, texts: Texts, records: Mapping[str, Sequence[bytes]], where: str
) -> Iterator[Verdict]:
    """Take every decision of a chunk again, after checking that the records are the ones it names."""
    asked, chunk = effect.request, effect.result
    assert isinstance(asked, ChunkRequest)
    assert isinstance(chunk, ReviewChunk)
    if not chunk.decisions_digest:
        return  # a chunk without decisions
    found = records.get(chunk.decisions_digest)
    if found is None:
        yield Verdict(where, "chunk", DIFFERS, ("the decisions of the chunk are not in the bundle",))
        return
    read = [_record(text) for text in found]
    known = [record for record in read if record is not None]
    if len(known) != len(read) or not _is_the_chunk(chunk, known):
        yield Verdict(where, "chunk", DIFFERS, ("the decisions are not the ones that the chunk names",))
        return
    for record in known:
        place = f"{where} customer {record.customer}"
        if record.decision.digest not in asked.policies.values() or record.decision.as_of != asked.as_of:
            yield Verdict(place, "assessment", DIFFERS, ("it was decided by another policy or day",))
        else:
            yield record_again(record, texts, place)


def _is_the_chunk(chunk: ReviewChunk, records: Sequence[AssessmentRecord]) -> bool:
    inputs = [{"customer": record.customer, "facts": record.decision.facts} for record in records]
    decisions, facts = running_digest("", records), running_digest("", inputs)
    return (decisions, facts) == (chunk.decisions_digest, chunk.inputs_digest)


def _record(text: bytes) -> AssessmentRecord | None:
    try:
        return AssessmentRecord.model_validate_json(text)
    except ValidationError:
        return None
