"""Alerts go out with the evidence and are taken again by the auditor; whatever was changed is found."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from httpx import Client

from api.evidence.auditing import audit_bundle
from api.evidence.bundle import Contents, bundle_files, to_zip
from api.evidence.gathering import Gatherer
from api.evidence.signing import signing_key
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
