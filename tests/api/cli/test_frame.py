import shlex
import shutil
from pathlib import Path

import click
import pytest

from api.cli import NAMES, forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, USAGE, Trouble, run

ROOT = Path(__file__).parents[3]


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
    assert "There is no command `chekc`; did you mean `check`?" in capsys.readouterr().err


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, [name, "--help"]) == OK
    assert f"forbear {name}" in capsys.readouterr().out.split("Example", 1)[-1]


def test_the_commands_are_listed_with_what_they_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["--help"]) == OK
    out = capsys.readouterr().out
    assert [name for name in NAMES if f"\n  {name} " not in out] == []
    assert "Exit codes" in out


def examples_of(name: str) -> list[list[str]]:
    """The command lines that the help of a command shows, as words."""
    command = forbear.get_command(click.Context(forbear), name)
    assert command
    assert command.help
    lines = command.help.partition("Example")[2].replace("\\\n", " ").splitlines()
    return [shlex.split(line)[1:] for line in lines if line.strip().startswith("forbear ")]


@pytest.mark.parametrize("name", NAMES)
def test_what_an_example_reads_from_this_project_is_there(name: str) -> None:
    for words in examples_of(name):
        named = [w for w in words if w.startswith(("fixtures/", "policies/")) and "loans" not in w]
        assert all((ROOT / word).exists() for word in named), words


@pytest.mark.parametrize("name", ["grade", "import"])
def test_an_example_works_as_it_stands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for room in ("policies", "fixtures"):
        shutil.copytree(ROOT / room, tmp_path / room)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FORBEAR_PORT", "1")  # nobody serves there
    for words in examples_of(name):
        assert run(forbear, words) == OK, capsys.readouterr()
