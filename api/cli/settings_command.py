"""`forbear settings`: what can be set, what it is set to, and where that was read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from api.cli.frame import OK
from api.cli.running import settings_for
from api.settings import FILE, PREFIX, Settings, where_read

_HEAD = f"""What can be set. `forbear settings` shows what is in force and where it was read.

Each setting is a variable of the environment, or a line of `{FILE}` in the data directory under its own
name: `{PREFIX}WEBHOOK_URL=https://...` is `webhook_url = "https://..."`. The environment wins over the file.
A name that is no setting is refused at the start. This page is made from `api/settings.py`, by
`forbear settings --markdown`.

| Setting | Default | What it is | Example |
|---|---|---|---|
"""


@click.command("settings")
@click.option("--data", type=click.Path(path_type=Path), help="The data directory; without it, `.forbear`.")
@click.option("--markdown", is_flag=True, help="Write the page of all settings, whatever they are set to.")
def command(data: Path | None, markdown: bool) -> int:
    """Show every setting: its value, where that was read, what it is and how it is written.

    \b
    Example:
      forbear settings
      FORBEAR_PORT=9000 forbear settings --data .forbear/demo
    """
    click.echo(page() if markdown else "\n".join(_shown(settings_for(data))), nl=not markdown)
    return OK


def page() -> str:
    """Return all settings as one page of Markdown."""
    return _HEAD + "".join(
        f"| `{_variable(name)}` | {_default(name)} | {_meaning(name)} | {_example(name)} |\n"
        for name in Settings.model_fields
    )


def _shown(settings: Settings) -> Iterator[str]:
    read = where_read(settings.data)
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        where = read.get(name, "default" if value == field.default else "command line")
        told = _said(value) if field.repr or not value else "(set, not shown)"
        yield f"{_variable(name)} = {told}   [{where}]"
        yield f"    {_meaning(name)}"
        example = str((field.examples or [""])[0])
        yield "    as in: " + example.replace("\n", "\n           ")


def _variable(name: str) -> str:
    return name if name == "authority" else PREFIX + name.upper()


def _meaning(name: str) -> str:
    field = Settings.model_fields[name]
    only = {"authority": f" Only in `{FILE}`.", "data": f" Not in `{FILE}`."}.get(name, "")
    return " ".join((field.description or "").split()) + only


def _default(name: str) -> str:
    said = _said(Settings.model_fields[name].default)
    return f"`{said}`" if said != "-" else "-"


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ", ".join(value) or "-"
    if isinstance(value, dict):
        return ", ".join(value) or "-"
    return "-" if value in (None, "") else str(value)


def _example(name: str) -> str:
    text = str((Settings.model_fields[name].examples or [""])[0])
    return "<br>".join(f"`{line}`" for line in text.split("\n"))
