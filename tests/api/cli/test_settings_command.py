"""What can be set is told, all of it, and the page of it is the one that the code makes."""

from __future__ import annotations

from pathlib import Path

import pytest

from api.cli import main
from api.cli.settings_command import page
from api.settings import FILE, PREFIX, Settings, read_settings

PAGE = Path(__file__).parents[3] / "api" / "SETTINGS.md"


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run `forbear settings --markdown > api/SETTINGS.md`"


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_described_with_an_example_that_can_be_read(name: str, tmp_path: Path) -> None:
    field = Settings.model_fields[name]
    assert field.description
    (example,) = field.examples or [""]
    environ = {"FORBEAR_SMTP_FROM": "a@b.example", "FORBEAR_TEMPORAL_TLS": "true"}
    if name == "authority":
        (tmp_path / FILE).write_text(str(example))
    else:
        environ[PREFIX + name.upper()] = str(example)
    data = None if name == "data" else tmp_path
    assert read_settings(environ, data)


def test_what_is_in_force_is_shown_with_where_it_was_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / FILE).write_text(
        'webhook_url = "https://billing.example/in"\n[authority.officer]\nmost = {grade = "any"}\n'
    )
    monkeypatch.setenv("FORBEAR_PORT", "9000")
    monkeypatch.setenv("FORBEAR_WEBHOOK_SECRET", "whsec_secret")
    assert main(["settings", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    for line in (
        "FORBEAR_PORT = 9000   [environment]",
        "FORBEAR_WEBHOOK_URL = https://billing.example/in   [settings.toml]",
        "FORBEAR_WEBHOOK_SECRET = (set, not shown)   [environment]",
        "FORBEAR_HOST = 127.0.0.1   [default]",
        "authority = officer   [settings.toml]",
        f"FORBEAR_DATA = {tmp_path}   [command line]",
    ):
        assert line in said.splitlines()
    assert "whsec_secret" not in said
