"""Every alert of watching, taken again by the reference matcher from the window that stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from engine.errata import erratum_between
from engine.model import digest_bytes
from engine.watch.record import AlertRecord, taken_again
from workflows.audit.report import AGREES, DIFFERS, Verdict
from workflows.audit.texts import Texts, TextWrong


def alerts_again(alerts: Mapping[str, bytes], texts: Texts) -> Iterator[Verdict]:
    """Take alerts again; each is the canonical JSON of its record under the digest of its bytes."""
    ids: dict[str, str] = {}
    for mark, body in alerts.items():
        try:
            record = AlertRecord.model_validate_json(body)
        except ValidationError as error:
            first = str(error).splitlines()[0]
            yield Verdict(f"alert {mark}", "alert", DIFFERS, (f"it cannot be read: {first}",))
            continue
        where = f"alert {record.id}"
        if digest_bytes(body) != mark:
            yield Verdict(where, "alert", DIFFERS, ("its bytes are not those that the manifest names",))
        elif record.id in ids:
            yield Verdict(where, "alert", DIFFERS, (f"it stands under {ids[record.id]} too",))
        else:
            yield _again(record, texts, where)
        ids[record.id] = mark


def _again(record: AlertRecord, texts: Texts, where: str) -> Verdict:
    try:
        said = taken_again(texts.watch(record.alert.digest), record)
    except (TextWrong, LookupError, ValueError) as error:
        said = (f"it cannot be taken again: {error}",)
    if not said:
        return Verdict(where, "alert", AGREES)
    erratum = erratum_between(record.semantics)
    return Verdict(where, "alert", f"differs by erratum {erratum.number}" if erratum else DIFFERS, said)
