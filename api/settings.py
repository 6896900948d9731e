"""What can be set, by `FORBEAR_*` or `settings.toml`; the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from engine.model import Model

PREFIX = "FORBEAR_"
FILE = "settings.toml"


class SettingsError(Exception):
    """A setting cannot be used; the sentence says which one, where it was read and what to do."""


class OpenDoor(SettingsError):
    """An address other than this machine was asked for, and the way to Temporal has no TLS."""

    def __init__(self, name: str, address: str) -> None:
        super().__init__(
            f"`{name}` is `{address}`, which other machines can reach, and the way to Temporal has no TLS: "
            "who reaches Temporal can change every case. Use 127.0.0.1, or set FORBEAR_TEMPORAL_TLS=true."
        )


class Authority(Model):
    """What one role may put in place of a decision's outcome."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    most: dict[str, str] = {}
    """The largest amount by name of the outcome; `any`: every value."""
    days: int = Field(default=90, ge=1, le=366)
    """For how long at most."""

    @field_validator("most")
    @classmethod
    def _amounts(cls, value: dict[str, str]) -> dict[str, str]:
        for name, most in value.items():
            if most != "any" and not re.fullmatch(r"[0-9]+(\.[0-9]+)?", most):
                raise ValueError(f'`{name}` is an amount as in "500.00", or `any`')
        return value


def _set(default: Any, example: str, **more: Any) -> Any:
    """Return a setting with how it is written in the environment, or in `settings.toml` where only it may."""
    return Field(default=default, examples=[example], **more)


class Settings(Model):
    """Everything that can be set; each field is `FORBEAR_<NAME>` or a line of `settings.toml`."""

    model_config = ConfigDict(use_attribute_docstrings=True)
    data: Path = _set(Path(".forbear"), "/var/lib/forbear")
    """The data directory: database, keys, evidence and `settings.toml`; `--data` wins over it."""
    host: str = _set("127.0.0.1", "127.0.0.1")
    """The address the API listens on; one that other machines reach needs `temporal_tls`."""
    port: int = _set(8350, "8350", ge=0, le=65535)
    """Port of the API; 0: a free one."""
    hosts: tuple[str, ...] = _set((), "forbear.internal, billing.internal")
    """Further names under which the API may be called (`Host` header), with commas; a list in the file."""
    database: str = _set("", "postgresql://forbear:PASSWORD@db.internal/forbear", repr=False)
    """`postgresql://...`; empty: SQLite in the data directory."""
    temporal: str = _set("", "temporal.internal:7233")
    """`host:port` of a Temporal frontend; empty: the embedded one."""
    temporal_port: int = _set(7233, "0", ge=0, le=65535)
    """Port of the embedded Temporal; 0: a free one."""
    temporal_namespace: str = _set("default", "forbear")
    """The namespace in which workflows run."""
    temporal_tls: bool = _set(False, "true")
    """Reach Temporal with TLS; needed for every address but this machine's own."""
    temporal_ca: Path | None = _set(None, "/etc/forbear/ca.pem")
    """PEM file of the authority that signed Temporal's certificate; left out: the system's authorities."""
    temporal_cert: Path | None = _set(None, "/etc/forbear/client.pem")
    """PEM file of our own certificate, where Temporal asks for one; with `temporal_key`."""
    temporal_key: Path | None = _set(None, "/etc/forbear/client.key")
    """PEM file of its key."""
    webhook_url: str = _set("", "https://billing.example/forbear")
    """Where actions and alerts are told (Standard Webhooks); empty: they are kept and shown."""
    webhook_secret: str = _set("", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", repr=False)
    """`whsec_...`, several with commas while they change, the newest first; empty: the data directory's."""
    webhook_inside: bool = _set(False, "true")
    """Allow a receiver with a private or loopback address; else what is told goes to no address inside."""
    smtp: str = _set("", "mail.example:587")
    """`host:port` of a mail server for notices by e-mail; empty: the receiver of webhooks is told of them."""
    smtp_from: str = _set("", "billing@example.com")
    """The address from which notices come; needed with `smtp`."""
    smtp_tls: Literal["starttls", "tls", "none"] = _set("starttls", "tls")
    """How the way to the mail server is kept private; no password is sent with `none`."""
    smtp_user: str = _set("", "forbear")
    """Who we are to the mail server; empty: it does not ask."""
    smtp_password: str = _set("", "PASSWORD", repr=False)
    """The password to it."""
    smtp_inside: bool = _set(False, "true")
    """Allow a mail server with a private or loopback address."""
    authority: dict[str, Authority] = _set(
        {}, '[authority.officer]\nmost = {credit_limit = "1000.00", grade = "any"}\ndays = 90'
    )
    """Which roles may override decisions, up to which amount (`any`: every value) and for how many days."""
    body_limit: int = _set(2_000_000, "2000000", ge=1_000)
    """Largest JSON body in bytes; bulk bodies may be fifty times as large."""

    @model_validator(mode="after")
    def _closed(self) -> Self:
        if not self.temporal_tls:
            for name, address in (("FORBEAR_HOST", self.host), ("FORBEAR_TEMPORAL", self.temporal)):
                if address and not is_loopback(address):
                    raise OpenDoor(name, address)
        if self.smtp and not self.smtp_from:
            raise SettingsError("`FORBEAR_SMTP` needs the address notices come from: set FORBEAR_SMTP_FROM.")
        if self.smtp_user and self.smtp_tls == "none":
            raise SettingsError("No password is sent in the clear: set FORBEAR_SMTP_TLS to starttls or tls.")
        return self

    @property
    def database_url(self) -> str:
        """The database's URL."""
        return self.database or f"sqlite:///{(self.data / 'forbear.sqlite').resolve()}"

    def changed(self, **fields: Any) -> Settings:
        """Return settings with some fields changed, checked again."""
        return Settings.model_validate(self.model_dump() | fields)


def read_settings(environ: Mapping[str, str] | None = None, data: Path | None = None) -> Settings:
    """Read the settings: the environment wins over the file, `data` over both."""
    environ = os.environ if environ is None else environ
    given = {
        name: value
        for name in Settings.model_fields
        if (value := environ.get(PREFIX + name.upper())) is not None
    }
    unknown = sorted(
        key
        for key in environ
        if key.startswith(PREFIX) and key[len(PREFIX) :].lower() not in Settings.model_fields
    )
    if unknown:
        known = ", ".join(PREFIX + name.upper() for name in Settings.model_fields)
        raise SettingsError(f"There is no setting `{unknown[0]}`. There are: {known}.")
    folder = data or Path(given.get("data", ".forbear"))
    values = from_file(folder / FILE) | given | {"data": folder}
    if isinstance(hosts := values.get("hosts"), str):
        values["hosts"] = tuple(part.strip() for part in hosts.split(",") if part.strip())
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else ""
        raise SettingsError(
            f"The setting `{PREFIX}{name.upper()}` cannot be `{first['input']}`: {first['msg']}."
        ) from error


def where_read(data: Path, environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return for each setting that was given where: `environment` or the name of the file."""
    environ = os.environ if environ is None else environ
    given = {name: "environment" for name in Settings.model_fields if PREFIX + name.upper() in environ}
    return dict.fromkeys(from_file(data / FILE), FILE) | given


def is_loopback(address: str) -> bool:
    """Tell whether an address (`host` or `host:port`) is this machine's own."""
    host = address.rsplit(":", 1)[0] if address.count(":") == 1 else address
    host = host.strip("[]") if not host.startswith("[") else host[1:].split("]")[0]
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def from_file(path: Path) -> dict[str, Any]:
    """Return what a file of settings says; raise SettingsError if it cannot be used."""
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"`{path}` is not TOML: {error}.") from error
    for name in values:
        if name not in Settings.model_fields or name == "data":
            raise SettingsError(f"`{path}` sets `{name}`, which is not a setting.")
    return values
