"""Secrets are changed while messages go out: each has a signature for every secret in use."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from api.relay.secrets import OVERLAP, SecretsNotOurs, WebhookSecrets
from tests.api.conftest import Build
from tests.api.relay.listening import listening
from tests.api.relay.test_courier import AT, reminded
from tests.api.rest.conftest import Serve
from tests.api.rest.test_gate import slug

OLD = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
NEW = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
NOW = datetime(2026, 3, 1, tzinfo=UTC)


def file_of(folder: Path) -> Path:
    path = folder / "webhook.secret"
    path.write_text(OLD + "\n")
    return path


def test_a_new_secret_signs_at_once_and_the_one_before_for_a_while(tmp_path: Path) -> None:
    secrets = WebhookSecrets("", file_of(tmp_path))
    fresh = secrets.rotate(NOW)
    assert [s.text for s in secrets.current(NOW)] == [fresh.text, OLD]
    assert [s.text for s in secrets.current(NOW + OVERLAP)] == [fresh.text]
    assert (tmp_path / "webhook.secret").stat().st_mode & 0o077 == 0
    newest = secrets.rotate(NOW, timedelta(hours=48))
    assert [s.text for s in secrets.current(NOW)] == [newest.text, fresh.text, OLD]
    assert [s.until for s in secrets.current(NOW)] == [
        None, NOW + timedelta(hours=48), NOW + OVERLAP,
    ], "an overlap that is running is not made longer"  # fmt: skip
    assert WebhookSecrets("", tmp_path / "webhook.secret").current(NOW) == secrets.current(NOW)


def test_secrets_of_the_settings_are_changed_there() -> None:
    secrets = WebhookSecrets(f"{NEW}, {OLD}", Path())
    assert [s.text for s in secrets.current(NOW)] == [NEW, OLD]
    with pytest.raises(SecretsNotOurs):
        secrets.rotate(NOW)
    with pytest.raises(ValueError, match="24 to 64 bytes"):
        WebhookSecrets("whsec_c2hvcnQ=", Path())


@pytest.mark.parametrize("known", [OLD, NEW])
def test_a_receiver_that_knows_either_secret_is_content(builder: Build, known: str) -> None:
    with listening(known) as heard:
        wiring = builder(webhook_url=heard.url, webhook_secret=f"{NEW},{OLD}")
        reminded(wiring)
        wiring.courier.deliver("A1", AT)
    assert heard.wrong == []
    assert len(heard.events) == 1
    assert heard.headers[0]["webhook-signature"].count("v1,") == 2


def test_the_api_makes_a_secret_and_tells_it_once(builder: Build, serve: Serve) -> None:
    wiring = builder()
    api = serve(wiring)
    before = api.get("/v1/webhook").json()
    assert (before["sends"], before["url"], len(before["secrets"])) == (False, "", 1)
    made = api.post("/v1/webhook/secrets", json={"overlap_hours": 2})
    assert made.status_code == 201
    secret = made.json()["secret"]
    Webhook(secret)
    assert [s["ends_with"] for s in made.json()["secrets"]] == [
        secret[-4:], before["secrets"][0]["ends_with"],
    ]  # fmt: skip
    assert secret not in api.get("/v1/webhook").text
    assert wiring.directory.webhook_secret == secret


def test_a_secret_of_the_settings_is_not_made_here(builder: Build, serve: Serve) -> None:
    api = serve(builder(webhook_url="http://127.0.0.1:1/x", webhook_secret=OLD))
    refused = api.post("/v1/webhook/secrets", json={})
    assert (refused.status_code, slug(refused.json())) == (409, "secrets-not-ours")
