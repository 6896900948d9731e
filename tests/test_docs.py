"""What the papers show exists, and what can be run is run."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from api.cli import NAMES, forbear
from api.cli.frame import FINDINGS, run

ROOT = Path(__file__).parents[1]
PAPERS = ["README.md", "CONTRIBUTING.md", "CHANGELOG.md", "ARCHITECTURE.md", "DECISIONS.md"]
PAPERS += [f"{room}/README.md" for room in ("engine", "workflows", "api", "policies", "fixtures")]
PAPERS += [
    "policies/collections/README.md",
    "policies/CREDIT.md",
    "policies/COLLECTIONS.md",
    "api/importer/README.md",
]
RUNNABLE = ("check", "test", "grade")


def lines_of(paper: str, word: str) -> Iterator[str]:
    """Command lines in a paper that begin with a word, in blocks and in backticks."""
    text = (ROOT / paper).read_text(encoding="utf-8")
    yield from (
        m.group(1) for m in re.finditer(rf"^(?:    |\t)?(?:\.venv/bin/)?({word} [^\n#]*)", text, re.M)
    )
    yield from (m.group(1) for m in re.finditer(rf"`({word} [^`\n]*)`", text))


def forbear_lines() -> list[tuple[str, str]]:
    return [
        (paper, part.strip())
        for paper in PAPERS
        for line in lines_of(paper, "forbear")
        for part in re.split(r"\s{3,}|&&", line)
        if part.strip().startswith("forbear ")
    ]


@pytest.mark.parametrize("paper", PAPERS)
def test_every_paper_is_there(paper: str) -> None:
    assert (ROOT / paper).read_text(encoding="utf-8").strip()


@pytest.mark.parametrize("paper", PAPERS)
def test_no_place_was_left_to_fill(paper: str) -> None:
    assert not re.search(r"@@|TODO|TBD|XXX", (ROOT / paper).read_text(encoding="utf-8"))


def test_no_decision_was_lost() -> None:
    heads = re.findall(r"^## (.+)$", (ROOT / "DECISIONS.md").read_text(encoding="utf-8"), re.M)
    numbers = [int(head.split(".")[0]) for head in heads[:-1]]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 11
    assert heads[-1] == "Next"


@pytest.mark.parametrize(("paper", "line"), forbear_lines())
def test_every_command_in_a_paper_exists_with_its_options(paper: str, line: str) -> None:
    name, *arguments = shlex.split(line)[1:]
    names = [word.rstrip(",") for word in [name, *arguments]] if name.endswith(",") else [name]
    for one in names:
        command = forbear.get_command(click.Context(forbear), one)
        assert command is not None, f"{paper} speaks of `forbear {one}`"
        known = {option for param in command.params for option in (*param.opts, "--help")}
        used = {word.split("=")[0] for word in arguments if word.startswith("--")}
        if not isinstance(command, click.Group):
            assert used <= known, f"{paper}: {line}"


@pytest.mark.parametrize("paper", PAPERS)
def test_every_make_target_in_a_paper_exists(paper: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M))
    for line in lines_of(paper, "make"):
        wanted = [word for word in line.split()[1:] if re.fullmatch(r"[a-z]+", word)]
        assert set(wanted[:1]) <= targets, f"{paper}: {line}"


@pytest.mark.parametrize(
    ("line", "paper"), {line: p for p, line in forbear_lines() if line.split()[1] in RUNNABLE}.items()
)
def test_what_can_be_run_is_run(line: str, paper: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    arguments = shlex.split(line)[1:]
    if arguments == ["test"] or "--generate" in arguments:
        pytest.skip("tests/test_policies.py and tests/engine/credit/test_generated_cases.py do that")
    if "facts.json" in arguments or (arguments[0] == "grade" and "--in" not in arguments):
        pytest.skip("it needs a file of the reader's own")
    assert run(forbear, arguments) < FINDINGS, f"{paper}: {line}"


@pytest.mark.parametrize("paper", PAPERS)
def test_every_file_that_a_paper_names_exists(paper: str) -> None:
    text = (ROOT / paper).read_text(encoding="utf-8")
    rooms = r"(?:engine|workflows|api|policies|fixtures|tests|requirements)/[\w./-]+"
    for name in set(re.findall(rf"`({rooms})`", text)):
        assert (ROOT / name.rstrip("/")).exists(), f"{paper} names `{name}`"


def test_every_command_is_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert [name for name in NAMES if f"forbear {name}" not in text] == []


def test_the_readme_fits_on_two_screens() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 130
