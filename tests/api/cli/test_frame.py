import click
import pytest

from api.cli import NAMES, forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, USAGE, Trouble, run


def commands() -> click.Group:
    @click.group()
    def group() -> None:
        """A group."""

    @group.command()
    def done() -> None:
        """Be done."""

    @group.command()
    def found() -> int:
        """Find something."""
        return FINDINGS

    @group.command()
    def stuck() -> None:
        """Get stuck."""
        raise Trouble("The port 80 is busy. Give another one.")

    @group.command()
    @click.argument("path")
    def opens(path: str) -> None:
        """Open a file."""
        with open(path, encoding="utf-8"):
            pass

    return group


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["done"], OK),
        (["found"], FINDINGS),
        (["stuck"], TROUBLE),
        (["done", "--what"], USAGE),
        (["--help"], OK),
    ],
)
def test_exit_codes(arguments: list[str], code: int) -> None:
    assert run(commands(), arguments) == code


def test_trouble_is_one_sentence_without_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(commands(), ["stuck"]) == TROUBLE
    assert capsys.readouterr().err == "forbear: The port 80 is busy. Give another one.\n"


def test_a_missing_file_is_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(commands(), ["opens", "no/such.yaml"]) == TROUBLE
    assert capsys.readouterr().err == "forbear: There is no file `no/such.yaml`.\n"


def test_an_unknown_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["chekc"]) == USAGE
    assert "did you mean `check`?" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, [name, "--help"]) == OK
    assert f"forbear {name}" in capsys.readouterr().out.split("Example", 1)[-1]


def test_the_commands_are_listed_with_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["--help"]) == OK
    out = capsys.readouterr().out
    assert [name for name in NAMES if f"\n  {name} " not in out] == []
    assert "Exit codes" in out
