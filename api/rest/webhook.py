"""The receiver of messages: who it is, what its messages are signed with, and telling it again."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from pydantic import AwareDatetime, Field

from api.relay.secrets import SecretsNotOurs, WebhookSecrets
from api.rest.bodies import Body, example
from api.rest.errors import Refusal
from api.rest.routes import router
from api.wiring import Wiring, webhook_secrets


class SecretOut(Body):
    """A secret in use, without the secret."""

    ends_with: str = Field(description="Its last four characters.", examples=["aSw="])
    until: AwareDatetime | None = Field(description="Until when it is signed with; null: it is the newest.")


class WebhookOut(Body):
    """Who is told of actions."""

    url: str = Field(
        description="Empty: nobody, messages are kept and shown.", examples=["https://b.example/in"]
    )
    sends: bool = Field(description="False: there is no receiver, or it has answered 410 Gone.")
    stopped_since: AwareDatetime | None = Field(
        default=None,
        description="Since when it wants nothing more (410); null: it is told.",
    )
    secrets: list[SecretOut]


class RotateBody(Body):
    """Change the secret."""

    model_config = example(overlap_hours=24)
    overlap_hours: Annotated[int, Field(ge=0, le=720)] = Field(
        default=24, description="How long messages are signed with the secret before, too."
    )


class RotatedOut(WebhookOut):
    """The new secret, told once."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


def webhook_router(wiring: Wiring) -> APIRouter:
    """Return the paths of the receiver."""
    api = router("cases")

    def secrets() -> WebhookSecrets:
        return webhook_secrets(wiring.settings, wiring.directory)

    def told() -> dict[str, object]:
        known = secrets().current(wiring.clock.now())
        since = wiring.stopped.since()
        return {
            "url": wiring.settings.webhook_url,
            "sends": wiring.receiver is not None and since is None,
            "stopped_since": since,
            "secrets": [SecretOut(ends_with=s.text[-4:], until=s.until) for s in known],
        }

    @api.get("/webhook", summary="Read who is told of actions")
    def read() -> WebhookOut:
        return WebhookOut.model_validate(told())

    @api.post("/webhook/secrets", status_code=201, summary="Make a new secret; for a while both sign")
    def rotate(body: RotateBody) -> RotatedOut:
        """Give the receiver the new secret within the overlap: a message has a signature for each of them."""
        try:
            fresh = secrets().rotate(wiring.clock.now(), timedelta(hours=body.overlap_hours))
        except SecretsNotOurs as error:
            raise Refusal("secrets-not-ours", str(error)) from error
        return RotatedOut.model_validate(told() | {"secret": fresh.text})

    @api.post("/webhook/resume", summary="Send again to a receiver that had answered 410 Gone")
    def resume() -> WebhookOut:
        wiring.stopped.resume()
        wiring.relay.wake()
        return WebhookOut.model_validate(told())

    return api
