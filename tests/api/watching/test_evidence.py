"""Alerts go out with the evidence and are taken again by the auditor; whatever was changed is found."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from httpx import Client
from sqlmodel import select

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run
from api.evidence.alert_chain import against_chain, alerts_of
from api.evidence.auditing import audit_bundle
from api.evidence.bundle import Contents, bundle_files, to_zip
from api.evidence.gathering import Gatherer
from api.evidence.signing import signing_key
from api.storage.watch_tables import WatchAlertRow
from api.wiring import Wiring
from engine.model import canonical, digest_bytes
from tests.api.watching.conftest import event, look, takeover, tell


@pytest.fixture
def contents(api: Client, watched: Wiring) -> Contents:
    """The evidence of an installation in which two alerts were raised."""
    tell(api, *takeover(), event("m", "promise_broken", 6, account="A1", promise="P"))
    look(api, 6)
    return asyncio.run(Gatherer(watched.database, watched.evidence).gather())


def audited(watched: Wiring, contents: Contents) -> Any:
    return audit_bundle(to_zip(bundle_files(contents, signing_key(watched.settings.data))), processes=1)


def changed(contents: Contents, change: Callable[[dict[str, Any]], None]) -> Contents:
    """Change the alert of the takeover, with everything that its bytes have to agree with."""
    alerts = {}
    for body in contents.alerts.values():
        said = json.loads(body)
        if said["alert"]["rule"] == "changed-then-spike":
            change(said)
        text = canonical(said)
        alerts[digest_bytes(text)] = text
    return replace(contents, alerts=alerts)


def test_alerts_agree(watched: Wiring, contents: Contents) -> None:
    report = audited(watched, contents)
    assert report.ok, report.render_text()
    assert [verdict.kind for verdict in report.verdicts] == ["alert", "alert"]
    assert len(contents.policies) == 1


def _evidence(said: dict[str, Any]) -> None:
    said["alert"]["evidence"][0]["id"] = "e1"


def _amount(said: dict[str, Any]) -> None:
    next(e for e in said["window"]["events"] if e["id"] == "e4")["values"]["amount"] = "20.00"


def _severity(said: dict[str, Any]) -> None:
    said["alert"]["severity"] = "low"


def _confirmed(said: dict[str, Any]) -> None:
    said["window"]["events"].append(
        {"id": "ok", "type": "identity_confirmed", "at": "2026-03-06T00:00:00Z", "customer": "C1"}
    )


@pytest.mark.parametrize("change", [_evidence, _amount, _severity, _confirmed])
def test_whatever_is_changed_in_an_alert_is_found(
    watched: Wiring, contents: Contents, change: Callable[[dict[str, Any]], None]
) -> None:
    report = audited(watched, changed(contents, change))
    assert [verdict.verdict for verdict in report.alerts].count("differs") == 1
    assert not report.ok


def test_bytes_that_are_not_as_listed_are_found(watched: Wiring, contents: Contents) -> None:
    files = bundle_files(contents, signing_key(watched.settings.data))
    path = next(name for name in files if name.startswith("alerts/"))
    report = audit_bundle(to_zip(files | {path: files[path] + b" "}), processes=1)
    assert any(path in finding.where for finding in report.problems)
    assert len(report.differing) == 1
    del files[path]
    assert not audit_bundle(to_zip(files), processes=1).ok


def _dropped(said: dict[str, Any]) -> None:
    said["window"]["events"] = [e for e in said["window"]["events"] if e["id"] != "m"]


def _added(said: dict[str, Any]) -> None:
    said["window"]["events"].append(dict(said["window"]["events"][0]) | {"id": "new"})


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_amount, "event `e4` was changed"),
        (_dropped, "event `m` is missing"),
        (_added, "event `new` was added"),
    ],
)
def test_a_bundle_names_the_event_that_was_changed_dropped_or_added(
    watched: Wiring, contents: Contents, change: Callable[[dict[str, Any]], None], named: str
) -> None:
    files = bundle_files(contents, signing_key(watched.settings.data))
    (path,) = [
        name for name in files if name.startswith("alerts/") and b'"changed-then-spike"' in files[name]
    ]
    said = json.loads(files[path])
    change(said)
    report = audit_bundle(to_zip(files | {path: canonical(said)}), processes=1)
    (wrong,) = [verdict for verdict in report.alerts if verdict.verdict == "differs"]
    assert wrong.differences == ("its bytes are not those that the manifest names", named)


def findings(watched: Wiring, asked: list[str] | None = None) -> list[str]:
    with watched.database.read() as session:
        return [str(found) for found in against_chain(session, watched.library, asked)]


def test_one_alert_goes_out_with_its_text_alone(watched: Wiring, contents: Contents) -> None:
    (alert,) = [json.loads(b)["id"] for b in contents.alerts.values() if b"spike" in b]
    one = asyncio.run(Gatherer(watched.database, watched.evidence).gather(alerts=[alert]))
    assert (len(one.alerts), len(one.policies), one.runs) == (1, 1, [])
    assert audited(watched, one).ok
    assert findings(watched, [alert]) == []
    with watched.database.read() as session:
        assert set(alerts_of(session, "C1")) == {json.loads(b)["id"] for b in contents.alerts.values()}


def _row(watched: Wiring, change: Callable[[WatchAlertRow, dict[str, Any]], None]) -> str:
    """Change the stored alert of the takeover; return its id."""
    with watched.database.write() as work:
        query = select(WatchAlertRow).where(WatchAlertRow.rule == "changed-then-spike")
        row = work.session.exec(query).one()
        window = json.loads(zlib.decompress(row.seen))
        change(row, window)
        row.seen = zlib.compress(canonical(window), 1)
        work.session.add(row)
        return row.id


def _event_changed(row: WatchAlertRow, window: dict[str, Any]) -> None:
    next(e for e in window["events"] if e["id"] == "e1")["values"]["amount"] = "11.00"


def _event_dropped(row: WatchAlertRow, window: dict[str, Any]) -> None:
    window["events"] = [e for e in window["events"] if e["id"] != "e1"]


def _event_added(row: WatchAlertRow, window: dict[str, Any]) -> None:
    window["events"].append(dict(window["events"][0]) | {"id": "new"})


def _alert_changed(row: WatchAlertRow, window: dict[str, Any]) -> None:
    row.body = row.body.replace('"severity":"high"', '"severity":"low"')


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_event_changed, ["it was changed", "event `e1` is not what was received"]),
        (_event_dropped, ["it was changed", "event `e1` was received by then and is missing"]),
        (_event_added, ["it was changed", "event `new` was never received"]),
        (_alert_changed, ["it was changed"]),
    ],
)
def test_what_is_changed_in_the_database_is_named_by_the_chain(
    watched: Wiring, contents: Contents, change: Any, named: list[str]
) -> None:
    alert = _row(watched, change)
    found = findings(watched)
    assert [alert in line for line in found] == [True] * len(named)
    assert all(words in line for words, line in zip(named, found, strict=True))


def test_an_alert_that_is_dropped_or_added_is_named(watched: Wiring, contents: Contents) -> None:
    with watched.database.write() as work:
        row = work.session.exec(select(WatchAlertRow).where(WatchAlertRow.rule == "broken")).one()
        gone, values = row.id, row.model_dump()
        work.session.delete(row)
        work.insert(WatchAlertRow, values | {"id": "f" * 32})
    assert findings(watched) == [
        f"alert: alert {gone}: the audit chain has it, and it is gone",
        f"alert: alert {'f' * 32}: the audit chain has no such alert",
    ]


def test_the_command_audits_the_alerts_of_one_customer_and_names_what_was_changed(
    watched: Wiring,
    contents: Contents,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORBEAR_DATABASE", watched.settings.database_url)
    data, saved = str(watched.settings.data), tmp_path / "alerts.zip"
    asked = ["audit", "--customer", "C1", "--data", data, "--accept-simulated"]
    assert run(forbear, [*asked, "--save", str(saved)]) == OK
    assert run(forbear, ["audit", str(saved), "--accept-simulated"]) == OK
    alert = _row(watched, _event_changed)
    capsys.readouterr()
    assert run(forbear, ["audit", "--alert", alert, "--data", data, "--accept-simulated"]) == FINDINGS
    assert "event `e1` is not what was received" in capsys.readouterr().out
    assert run(forbear, ["audit", "--alert", "none", "--data", data]) == TROUBLE
