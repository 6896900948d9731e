"""What can be set, by `FORBEAR_*` or `settings.toml`; the only reader of the environment."""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

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


class Settings(Model):
    """Everything that can be set; each field is `FORBEAR_<NAME>` or a line of `settings.toml`."""

    data: Path = Path(".forbear")
    """The data directory."""
    host: str = "127.0.0.1"
    port: int = Field(default=8350, ge=0, le=65535)
    """Port of the API; 0: a free one."""
    hosts: tuple[str, ...] = ()
    """Further names under which the API may be called (the `Host` header), comma separated."""
    database: str = ""
    """`postgresql://...`; empty: SQLite in the data directory."""
    temporal: str = ""
    """`host:port` of a Temporal frontend; empty: the embedded one."""
    temporal_port: int = Field(default=7233, ge=0, le=65535)
    """Port of the embedded Temporal; 0: a free one."""
    temporal_namespace: str = "default"
    temporal_tls: bool = False
    temporal_ca: Path | None = None
    """PEM file of the authority that signed Temporal's certificate; None: the system's."""
    temporal_cert: Path | None = None
    temporal_key: Path | None = None
    webhook_url: str = ""
    """Where actions are told; empty: they are kept and shown."""
    webhook_secret: str = Field(default="", repr=False)
    """`whsec_...`, several with commas while they change, the newest first; empty: the data directory's."""
    webhook_inside: bool = False
    """Allow a receiver with a private or loopback address."""
    smtp: str = ""
    """`host:port` of a mail server for notices by e-mail; empty: the receiver of webhooks is told of them."""
    smtp_from: str = ""
    """The address from which notices come; needed with `smtp`."""
    smtp_tls: Literal["starttls", "tls", "none"] = "starttls"
    smtp_user: str = ""
    smtp_password: str = Field(default="", repr=False)
    smtp_inside: bool = False
    """Allow a mail server with a private or loopback address."""
    authority: dict[str, Authority] = {}
    """Who may override decisions: `[authority.officer]`, `most = {credit_limit = "1000.00"}`, `days = 90`."""
    body_limit: int = Field(default=2_000_000, ge=1_000)
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
    values = _from_file(folder / FILE) | given | {"data": folder}
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


def _from_file(path: Path) -> dict[str, Any]:
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
