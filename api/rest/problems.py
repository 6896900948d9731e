"""The kinds of problem that this API answers with; their names never change (RFC 9457 `type`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Kind:
    """A stable kind of problem: its status, its title and what to do about it."""

    status: int
    title: str
    advice: str


KINDS: Mapping[str, Kind] = {
    "not-json": Kind(400, "The body is not JSON", "Send UTF-8 JSON."),
    "bad-cursor": Kind(400, "The cursor is not one of this list", "Follow `next`, or start without `after`."),
    "idempotency-key-missing": Kind(
        400,
        "An Idempotency-Key is needed",
        "Send a fresh UUID with each new request, and the same one with a repeat.",
    ),
    "bad-idempotency-key": Kind(
        400, "The Idempotency-Key cannot be used", "Use 1 to 128 visible ASCII characters."
    ),
    "bad-preference": Kind(400, "The Prefer header cannot be used", "Write `Prefer: wait=10`."),
    "key-missing": Kind(
        401, "The API key is missing or wrong", "Send `Authorization: Bearer <key>`; see `api.key`."
    ),
    "beyond-authority": Kind(
        403, "The role may not do this", "Ask somebody with more authority; see `authority` in the settings."
    ),
    "not-found": Kind(404, "There is no such thing", "Check the path and the id."),
    "account-not-found": Kind(404, "There is no such account", "Create the account first."),
    "customer-not-found": Kind(404, "There is no such customer", "Create the customer first."),
    "policy-not-found": Kind(
        404, "There is no such policy on the shelf", "Publish it, or check its name and day."
    ),
    "method-not-allowed": Kind(405, "The path does not know this method", "See /docs."),
    "not-acceptable": Kind(
        406, "There is no answer in this language", "Ask for one that `detail` names, or for none."
    ),
    "conflict": Kind(
        409, "Something else is stored under this id", "Send a correction as an entry of its own."
    ),
    "entry-refused": Kind(
        409, "The entry does not fit the ledger", "Each of `errors` says which rule it breaks."
    ),
    "request-in-flight": Kind(
        409, "The first request with this key is not answered yet", "Try again after `Retry-After` seconds."
    ),
    "not-dead": Kind(409, "Only what was given up is sent again", "See `GET /v1/messages?state=dead`."),
    "secrets-not-ours": Kind(
        409, "The secret is set outside", "Change FORBEAR_WEBHOOK_SECRET; it may hold several, with commas."
    ),
    "brake-not-on": Kind(409, "The brake is not on", "See `GET /v1/brakes`."),
    "receipt-too-early": Kind(
        422, "The receipt is of before the request", "Check the receiver's clock, or leave `at` out."
    ),
    "received-backwards": Kind(
        409, "News cannot be received before earlier news", "Keep the order of receipt."
    ),
    "precondition-failed": Kind(
        412, "It has changed since it was read", "Read it again, and decide again with the new `ETag`."
    ),
    "body-too-large": Kind(413, "The body is too large", "Send it in parts, or use the bulk path."),
    "not-a-json-body": Kind(
        415, "The body is not declared as JSON", "Send `Content-Type: application/json`."
    ),
    "host-not-allowed": Kind(
        421, "This server does not answer for that host", "Call it by 127.0.0.1 or localhost."
    ),
    "malformed-body": Kind(422, "The body has mistakes", "Each of `errors` says where and why."),
    "malformed-address": Kind(
        422, "The address has mistakes", "Each of `errors` names a part of the path, or a parameter."
    ),
    "idempotency-key-reused": Kind(422, "The key was used for another request", "Use a fresh key."),
    "received-at-not-allowed": Kind(422, "`received_at` is the server's to say", "Leave it out."),
    "received-at-missing": Kind(
        422, "In simulated time `received_at` is needed", "Say when it became known."
    ),
    "not-simulated": Kind(422, "The clock cannot be moved here", "Use a data directory made as simulated."),
    "event-refused": Kind(
        422, "The event does not fit the watch policies", "Each of `errors` names a type or a property."
    ),
    "facts-refused": Kind(422, "The facts cannot be judged", "Each of `errors` names a fact."),
    "policy-failed": Kind(
        422, "The policy gives no answer for these facts", "See the detail; mend the policy."
    ),
    "policy-refused": Kind(422, "The policy has mistakes", "See `forbear check`."),
    "precondition-required": Kind(
        428, "An If-Match header is needed", "Send the `ETag` of what was read, so that no change is lost."
    ),
    "internal": Kind(500, "Something went wrong here", "Try again; the log of the server says more."),
    "database-away": Kind(503, "The ledger cannot be reached", "Send the same again in a moment."),
    "temporal-away": Kind(503, "Workflows cannot be reached", "Nothing was lost; try again in a moment."),
}


REFUSED = frozenset(s for s, kind in KINDS.items() if kind.status == 409) - {"request-in-flight"}
"""What the ledger refuses as it stands: nothing in the request itself is to be mended."""


def instance(path: str) -> str:
    """Return the path of a call as a reference to it (RFC 3986): what may not stand there is escaped."""
    return quote(path, safe="/:@!$&'()*+,;=~", errors="surrogateescape")


def problem(slug: str, detail: str, **extra: Any) -> dict[str, Any]:
    """Return a problem of a stable kind."""
    kind = KINDS[slug]
    return {
        "type": f"/problems/{slug}",
        "title": kind.title,
        "status": kind.status,
        "detail": detail,
        **extra,
    }
