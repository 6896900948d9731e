import re
import sys
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("engine", "workflows", "api")


@pytest.mark.parametrize("room", ROOMS)
def test_no_dependency_ships_a_package_named_like_a_room(room: str) -> None:
    owners = set(packages_distributions().get(room, ()))  # empty in an editable install
    assert owners <= {"forbear"}


@pytest.mark.parametrize("room", ["policies", "fixtures"])
def test_rooms_of_data_hold_no_python(room: str) -> None:
    assert not list((ROOT / room).rglob("*.py"))


@pytest.mark.parametrize("name", ["build.txt", "lock.txt", "build.in", "lock.in"])
def test_the_lock_names_no_address(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links|--trusted-host", text)


@pytest.mark.parametrize("name", ["build.txt", "lock.txt"])
def test_every_locked_package_has_hashes(name: str) -> None:
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8").replace("\\\n", " ")
    locked = [line for line in text.splitlines() if "==" in line and not line.lstrip().startswith("#")]
    assert locked
    assert [line for line in locked if "--hash=sha256:" not in line] == []


def test_every_requirement_of_the_project_is_locked() -> None:
    text = (ROOT / "requirements/lock.txt").read_text(encoding="utf-8")
    locked = {
        m.group(1).lower().replace("_", "-") for m in re.finditer(r"^([\w.-]+)(?:\[[^\]]*\])?==", text, re.M)
    }
    lines = (ROOT / "requirements/lock.in").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    names = {re.split(r"[\[;]", line)[0].strip().lower() for line in wanted}
    assert names - locked == set()


def test_no_file_of_a_room_is_named_like_a_standard_module() -> None:
    taken = [
        path for room in ROOMS for path in (ROOT / room).glob("*.py") if path.stem in sys.stdlib_module_names
    ]
    assert taken == []


@pytest.mark.parametrize(
    ("room", "sentence"),
    [
        ("policies", "People who are not programmers edit this."),
        ("engine", "Same input, same output, for ever."),
        ("workflows", "What happens over weeks, and what we wait for."),
        ("api", "Where we meet the world."),
        ("fixtures", "Data the tests and the demo use."),
    ],
)
def test_a_room_says_what_it_is_in_its_first_line(room: str, sentence: str) -> None:
    assert (ROOT / room / "README.md").read_text(encoding="utf-8").splitlines()[0] == sentence
