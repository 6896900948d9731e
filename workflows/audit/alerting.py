"""Every alert of watching, taken again by the reference matcher from the window that stands in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import ValidationError

from engine.errata import erratum_between
from engine.model import digest, digest_bytes
from engine.watch.record import AlertRecord, taken_again
from workflows.audit.report import AGREES, DIFFERS, Verdict
from workflows.audit.texts import Texts, TextWrong


def alerts_again(
    alerts: Mapping[str, bytes], texts: Texts, windows: Mapping[str, Mapping[str, str]] | None = None
) -> Iterator[Verdict]:
    """Take alerts again; each is the canonical JSON of its record under the digest of its bytes.

    `windows`: by the same digest the events of its window, each id with its digest, so that one that was
    changed, dropped or added can be named.
    """
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
            named = _changed(record, windows[mark]) if windows and mark in windows else ()
            said = ("its bytes are not those that the manifest names", *named)
            yield Verdict(where, "alert", DIFFERS, said)
        elif record.id in ids:
            yield Verdict(where, "alert", DIFFERS, (f"it stands under {ids[record.id]} too",))
        else:
            yield _again(record, texts, where)
        ids[record.id] = mark


def window_marks(record: AlertRecord) -> dict[str, str]:
    """Return the events of an alert's window: each id with the digest of what the event says."""
    return {event.id: digest(event) for event in sorted(record.window.events, key=lambda event: event.id)}


def _changed(record: AlertRecord, listed: Mapping[str, str]) -> Iterator[str]:
    found = window_marks(record)
    for name in sorted(found.keys() | listed.keys()):
        if name not in found:
            yield f"event `{name}` is missing"
        elif name not in listed:
            yield f"event `{name}` was added"
        elif found[name] != listed[name]:
            yield f"event `{name}` was changed"


def _again(record: AlertRecord, texts: Texts, where: str) -> Verdict:
    try:
        said = taken_again(texts.watch(record.alert.digest), record)
    except (TextWrong, LookupError, ValueError) as error:
        said = (f"it cannot be taken again: {error}",)
    if not said:
        return Verdict(where, "alert", AGREES)
    erratum = erratum_between(record.semantics)
    return Verdict(where, "alert", f"differs by erratum {erratum.number}" if erratum else DIFFERS, said)
