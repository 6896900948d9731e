"""What the receiver is sent, for the document: each type of CloudEvent with its schema and an example.

The events themselves are written where actions are asked for; tests hold what goes out to these schemas.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any, Literal, cast, get_args

from pydantic import AwareDatetime, BaseModel, Field, create_model
from pydantic.json_schema import models_json_schema

from engine.ladder.state import Action
from engine.ledger.account import Level

Json = dict[str, Any]
_DIGEST = f"sha256:{'0' * 64}"
_AT = "2026-03-21T09:00:00+08:00"


class _Sent(BaseModel):
    """What is sent may have more fields in a later version."""


class ActionData(_Sent):
    """An action of a case: what is asked of the receiver, for which debts, and until when it may be done."""

    key: str = Field(description="The event's `id`, and the name under which a receipt is posted.")
    do: str
    args: list[str] = Field(description="As the policy says: `notify(sms, reminder)` gives sms, reminder.")
    item: str = Field(description="The debt that it is about, or `account`.")
    service: str = Field(default="", description="Only this service of the account.")
    step: str
    undo: bool = Field(description="True: take back what was asked for under the same key with `/do`.")
    severe: bool = Field(description="Derived again before every attempt, also without news.")
    debts: list[str]
    amount: str = Field(description="What it states or asks for, in `currency`.")
    level: Level | None = Field(description="For `service` and `terminate`: the level to be in force now.")
    figures: dict[str, str] = Field(description="For `notify`: what a template states.")
    language: str = ""
    text: str = Field(default="", description="For `notify`: what the customer reads, whole.")
    together: list[Json] = Field(
        default=[], description="For `notify`: the `data` of other notices that this message carries too."
    )
    not_before: AwareDatetime | None
    not_after: AwareDatetime | None = Field(description="The last instant at which it may be carried out.")
    confirm_by: AwareDatetime | None = Field(description="After it a person is told that no receipt came.")
    account: str
    customer: str = Field(description="Who pays.")
    dependant: str = Field(default="", description="Who is served, where that is somebody else.")
    currency: str
    case: str
    policy: str = Field(description="Digest of the text that asks for it.")
    version: int = Field(description="The account's version when it was asked for.")


class AlertEvidence(_Sent):
    """An event that stands behind an alert."""

    name: str
    id: str
    type: str
    at: AwareDatetime


class AlertData(_Sent):
    """An action that an alert asks for, or takes back when somebody dismisses it."""

    key: str = Field(description="The event's `id`, and the name under which a receipt is posted.")
    do: str
    args: list[str]
    undo: bool
    alert: str
    kind: str = Field(description="What the rule calls the alert.")
    severity: str
    rule: str
    policy: str = Field(description="Digest of the watch policy.")
    per: str
    reason: dict[str, str] = Field(description="By language.")
    customers: list[str]
    accounts: list[str]
    evidence: list[AlertEvidence]


class CloudEvent(_Sent):
    """CloudEvents 1.0, structured JSON."""

    specversion: Literal["1.0"]
    id: str = Field(description="Also `webhook-id`; the same for each attempt, so drop what you have seen.")
    source: str
    subject: str
    time: AwareDatetime
    datacontenttype: Literal["application/json"]
    traceparent: str = Field(default="", description="The trace of the call that led to it, if one did.")
    correlationid: str = Field(default="", description="Its `X-Correlation-ID`.")


class ActionEvent(CloudEvent):
    """An action that a case asks for; `subject` is the account."""

    sequence: str = Field(
        description="Rises with each message of an account; its order is that of the texts."
    )
    data: ActionData


class AlertEvent(CloudEvent):
    """An action that an alert asks for; `subject` is whom the alert is about."""

    data: AlertData


class ReceiptInAnswer(_Sent):
    """What became of the action, if that is known at once."""

    status: Literal["done", "failed", "suppressed"]
    at: AwareDatetime | None = None
    detail: str = ""
    until: date | None = None


class WebhookAnswer(_Sent):
    """What a receiver may answer with 2xx; a receipt posted later says the same."""

    receipt: ReceiptInAnswer | None = None


ACTIONS = cast(tuple[str, ...], get_args(Action.model_fields["do"].annotation))
ALERT_ACTIONS = ("notify", "hold_orders", "interim_limit")
_ABOUT: Mapping[str, tuple[str, list[str], Json]] = {
    "notify": ("Send a notice to the customer.", ["sms", "reminder"],
               {"figures": {"total": "128.40", "last_day": "2026-03-28"}, "language": "en",
                "text": "Please pay 128.40 CNY by 28 March."}),
    "service": ("Set the level of service; with `undo` it is loosened to `level`.", ["outgoing_barred"],
                {"level": "outgoing_barred", "severe": True}),
    "orders": ("Refuse changes and new orders.", ["refuse_changes"], {}),
    "billing": ("Stop or resume billing.", ["stop"], {"severe": True}),
    "terminate": ("End the contract.", ["end_of_term"], {"level": "terminated", "severe": True}),
    "fee": ("Book a fee; its bill comes back by `POST /v1/bills`.", ["suspension"],
            {"amount": "10.00", "severe": True}),
    "apply": ("Use the deposit for what is past due.", ["deposit"], {"severe": True}),
    "retry_payment": ("Try to collect by the payment method on file again.", [], {}),
    "task": ("A person has something to do; it stands in `GET /v1/tasks` too.", ["call"], {}),
    "approve": ("A person has to agree; it stands in `GET /v1/tasks` too.", ["write_off"], {}),
    "place": ("Hand the debt over to an agency.", ["agency"], {"severe": True}),
    "recall": ("Call the debt back from an agency.", ["agency"], {}),
    "write_off": ("Write the debt off.", [], {"severe": True}),
    "recover": ("Start recovery of what was written off.", [], {"severe": True}),
    "sell": ("Sell the debt.", [], {"severe": True}),
    "deposit": ("Top the deposit up, credit interest on it, or give it back.", ["top_up"],
                {"amount": "200.00"}),
}  # fmt: skip
_ALERTS: Mapping[str, tuple[str, list[str]]] = {
    "notify": ("Tell somebody of an alert.", ["sms", "security"]),
    "hold_orders": ("Hold the orders of these accounts; with `undo` let them go.", []),
    "interim_limit": ("Put an interim limit in force; with `undo` lift it.", ["50.00"]),
}
HEADERS: Mapping[str, tuple[str, str]] = {
    "webhook-id": ("The event's `id`.", "case/A1001/1/account/reminder/1/notify.sms.reminder/do"),
    "webhook-timestamp": ("Seconds since 1970; refuse what is older than five minutes.", "1774054800"),
    "webhook-signature": (
        "Standard Webhooks: `v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; one for each secret in "
        "use, separated by spaces.",
        "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=",
    ),
}


def webhooks() -> tuple[Json, Json]:
    """Return the `webhooks` of an OpenAPI 3.1 document by type of event, and the schemas they refer to."""
    models = {kind: _model(kind) for kind, *_ in _kinds()}
    wanted = [(model, "validation") for model in (*models.values(), WebhookAnswer)]
    refs, found = models_json_schema(
        cast(Any, wanted), ref_template="#/components/schemas/{model}", title=None
    )
    told = {
        kind: {"post": _operation(kind, about, refs[cast(Any, (models[kind], "validation"))], example)}
        for kind, about, example in _kinds()
    }
    return told, found["$defs"]


def _kinds() -> Iterator[tuple[str, str, Json]]:
    for do in ACTIONS:
        about, args, more = _ABOUT[do]
        yield f"forbear.action.{do}", about, _action_example(do, args, more)
    for do in ALERT_ACTIONS:
        about, args = _ALERTS[do]
        yield f"forbear.alert.{do}", about, _alert_example(do, args)


def _model(kind: str) -> type[BaseModel]:
    _, family, do = kind.split(".")
    base = ActionEvent if family == "action" else AlertEvent
    name = f"{family.title()}{do.title().replace('_', '')}Event"
    return create_model(name, __base__=base, __doc__=base.__doc__, type=(cast(Any, Literal[kind]), ...))


def _operation(kind: str, about: str, schema: Json, example: Json) -> Json:
    answer = {"$ref": "#/components/schemas/WebhookAnswer"}
    told = {"receipt": {"status": "done", "at": _AT, "detail": "sms 8812"}}
    return {
        "operationId": f"on_{kind.removeprefix('forbear.').replace('.', '_')}",
        "tags": ["webhooks"],
        "summary": about,
        "security": [],
        "parameters": [
            {"name": name, "in": "header", "required": True, "description": text,
             "schema": {"type": "string"}, "example": shown}
            for name, (text, shown) in HEADERS.items()
        ],
        "requestBody": {
            "required": True,
            "content": {"application/cloudevents+json": {"schema": schema, "example": example}},
        },
        "responses": {
            "2XX": {"description": "Taken. With a `receipt` it is confirmed at once.",
                    "content": {"application/json": {"schema": answer, "example": told}}},
            "410": {"description": "Nothing more is sent until `POST /v1/webhook/resume`."},
            "default": {"description": "Sent again after 5 s, 30 s, 2 min ... for some three days; then it "
                        "is a dead letter: `GET /v1/messages?state=dead`."},
        },
    }  # fmt: skip


def _action_example(do: str, args: list[str], more: Json) -> Json:
    key = f"case/A1001/1/account/reminder/1/{'.'.join([do, *args])}/do"
    data = {
        "key": key, "do": do, "args": args, "item": "account", "step": "reminder", "undo": False,
        "severe": False, "debts": ["B-2026-03"], "amount": "128.40", "level": None, "figures": {},
        "not_before": None, "not_after": None, "confirm_by": "2026-03-22T09:00:00+08:00",
        "account": "A1001", "customer": "C1001", "currency": "CNY", "case": "case/A1001/1",
        "policy": _DIGEST, "version": 7,
    }  # fmt: skip
    return _event(key, f"forbear.action.{do}", "A1001", data | more) | {"sequence": "000000000412"}


def _alert_example(do: str, args: list[str]) -> Json:
    key = f"alert/9d2f/{'.'.join([do, *args])}/do"
    evidence = {"name": "change", "id": "E-1", "type": "identity_changed", "at": _AT}
    data = {
        "key": key, "do": do, "args": args, "undo": False, "alert": "9d2f", "kind": "subscription_fraud",
        "severity": "high", "rule": "identity-changed-then-spike", "policy": _DIGEST, "per": "customer",
        "reason": {"en": "usage rose after a change of identity"}, "customers": ["C1001"],
        "accounts": ["A1001"], "evidence": [evidence],
    }  # fmt: skip
    return _event(key, f"forbear.alert.{do}", "C1001", data)


def _event(key: str, kind: str, subject: str, data: Json) -> Json:
    return {
        "specversion": "1.0", "id": key, "source": "/forbear", "type": kind, "subject": subject, "time": _AT,
        "datacontenttype": "application/json", "data": data, "correlationid": "bill-run-7",
    }  # fmt: skip


__all__ = ["ACTIONS", "ALERT_ACTIONS", "webhooks"]
