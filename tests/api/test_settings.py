from __future__ import annotations

from pathlib import Path

import pytest

from api.settings import OpenDoor, Settings, SettingsError, is_loopback, read_settings


def test_defaults_are_this_machine_alone(tmp_path: Path) -> None:
    settings = read_settings({}, tmp_path)
    assert (settings.host, settings.temporal, settings.webhook_url) == ("127.0.0.1", "", "")
    assert settings.database_url == f"sqlite:///{tmp_path.resolve()}/forbear.sqlite"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('port = 9000\nwebhook_url = "https://example.com/x"\n')
    settings = read_settings({"FORBEAR_PORT": "9001", "FORBEAR_HOSTS": "a.internal, b.internal"}, tmp_path)
    assert (settings.port, settings.webhook_url) == (9001, "https://example.com/x")
    assert settings.hosts == ("a.internal", "b.internal")


def test_the_data_directory_comes_from_the_environment(tmp_path: Path) -> None:
    assert read_settings({"FORBEAR_DATA": str(tmp_path / "x")}).data == tmp_path / "x"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"FORBEAR_PROT": "1"}, "no setting `FORBEAR_PROT`"),
        ({"FORBEAR_PORT": "eighty"}, "`FORBEAR_PORT` cannot be `eighty`"),
        ({"FORBEAR_PORT": "70000"}, "`FORBEAR_PORT` cannot be `70000`"),
        ({"FORBEAR_TEMPORAL_TLS": "perhaps"}, "`FORBEAR_TEMPORAL_TLS` cannot be"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(tmp_path: Path, environ: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        read_settings(environ, tmp_path)


@pytest.mark.parametrize(
    ("text", "says"), [("port = ", "is not TOML"), ("prot = 1", "sets `prot`"), ('data = "x"', "sets `data`")]
)
def test_a_file_that_cannot_be_used_is_named(tmp_path: Path, text: str, says: str) -> None:
    (tmp_path / "settings.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        read_settings({}, tmp_path)


@pytest.mark.parametrize(
    "fields",
    [
        {"host": "0.0.0.0"},
        {"host": "::"},
        {"host": "10.0.0.5"},
        {"host": "forbear.example"},
        {"temporal": "temporal.example:7233"},
        {"temporal": "10.0.0.5:7233"},
    ],
)
def test_other_addresses_need_tls_to_temporal(fields: dict[str, str]) -> None:
    with pytest.raises(OpenDoor, match="has no TLS"):
        Settings.model_validate(fields)
    assert Settings.model_validate(fields | {"temporal_tls": True})


@pytest.mark.parametrize(
    ("address", "is_own"),
    [
        ("127.0.0.1", True), ("127.0.0.1:7233", True), ("localhost:7233", True), ("::1", True),
        ("[::1]:7233", True), ("127.5.5.5", True), ("0.0.0.0", False), ("10.1.1.1:7233", False),
        ("localhost.example:1", False), ("", False),
    ],
)  # fmt: skip
def test_what_is_this_machine(address: str, is_own: bool) -> None:
    assert is_loopback(address) is is_own


def test_secrets_are_not_shown() -> None:
    assert "whsec" not in repr(Settings(webhook_secret="whsec_x"))
