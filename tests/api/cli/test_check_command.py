import json
import shutil
from pathlib import Path

import pytest

from api.cli import forbear
from api.cli.frame import FINDINGS, OK, TROUBLE, run

ROOT = Path(__file__).parents[3]


def copied(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """A copy of a shipped policy with words replaced."""
    folder = tmp_path / "consumer-credit"
    shutil.copytree(ROOT / "policies/consumer-credit", folder)
    text = (folder / "policy.yaml").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    (folder / "policy.yaml").write_text(text, encoding="utf-8")
    return folder


def test_the_shipped_policies_have_no_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["check", str(ROOT / "policies")]) == OK
    assert ": 0 errors, " in capsys.readouterr().out.splitlines()[-1]


def test_a_typing_mistake_is_shown_at_its_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, ("| tenure_months         | < 3 ", "| tenure_mnths          | < 3 "))
    assert run(forbear, ["check", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert f"--> {folder / 'policy.yaml'}:" in out
    assert "tenure_mnths" in out
    assert "^^^" in out
    assert "advice: did you mean `tenure_months`?" in out
    assert "1 credit policy: 1 error, " in out.splitlines()[-1]


def test_two_matching_rows_are_both_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, ("| [500..560) || B", "| [500..570) || B"))
    assert run(forbear, ["check", str(folder)]) == FINDINGS
    out = capsys.readouterr().out
    assert ">= 560" in out
    assert "[500..570)" in out


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copied(tmp_path, ("tenure_months         | < 3 ", "tenure_mnths          | < 3 "))
    assert run(forbear, ["check", str(folder), "--format", "json"]) == FINDINGS
    said = json.loads(capsys.readouterr().out)
    assert said["errors"] == 1
    error = next(p for p in said["problems"] if p["severity"] == "error")
    assert error["file"] == str(folder / "policy.yaml")
    assert (error["line"], error["column"]) > (60, 1)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (b"policy: x\nkind: kredit\n", "`kredit` is no kind of policy"),
        (b"policy: x\nkind: kredit\n", "did you mean `credit`?"),
        (b"a: [1\n", "error["),
        (b"\xff\xfe", "error["),
        (b"", "error["),
        (b"- 1\n", "error["),
    ],
)
def test_a_file_that_is_no_policy_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: bytes, word: str
) -> None:
    (tmp_path / "policy.yaml").write_bytes(text)
    assert run(forbear, ["check", str(tmp_path)]) == FINDINGS
    assert word in capsys.readouterr().out


def test_nothing_to_check_is_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(forbear, ["check", str(tmp_path)]) == TROUBLE
    assert "holds no policy" in capsys.readouterr().err
    assert run(forbear, ["check", str(tmp_path / "nowhere")]) == TROUBLE
    assert "There is no `" in capsys.readouterr().err


def test_many_problems_of_one_policy_are_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = "\n".join(f"key_{n}: 1" for n in range(70))
    (tmp_path / "policy.yaml").write_text(f"kind: credit\n{keys}\n", encoding="utf-8")
    assert run(forbear, ["check", str(tmp_path)]) == FINDINGS
    out = capsys.readouterr().out
    assert out.count("error[") == 50
    assert "27 more problems not shown here" in out
    assert "77 errors" in out


def test_versions_of_one_policy_that_collide_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = copied(tmp_path)
    shutil.copytree(folder, tmp_path / "consumer-credit-next")
    assert run(forbear, ["check", str(tmp_path)]) == FINDINGS
    out = capsys.readouterr().out
    assert "error[versions-collide]: two versions of `consumer-credit` hold from 2026-01-01" in out
    assert f"the other one stands here: {tmp_path / 'consumer-credit-next' / 'policy.yaml'}:" in out


@pytest.mark.parametrize(
    ("old", "new"), [("kind: credit", "kind: credits"), ("policy: sme-credit", "policy: sme credit")]
)
def test_a_policy_that_cannot_be_told_apart_is_not_missed_by_the_portfolio_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str
) -> None:
    shutil.copytree(Path(__file__).parents[3] / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / "sme-credit" / "policy.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    assert run(forbear, ["check", str(tmp_path / "policies")]) == FINDINGS
    out = capsys.readouterr().out
    assert "unknown-policy" not in out
    assert "1 error," in out


def test_rows_that_are_hidden_in_part_are_told_to_whoever_asks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(copied(tmp_path))
    assert run(forbear, ["check", folder]) == OK
    assert "row-partly-hidden" not in capsys.readouterr().out
    assert run(forbear, ["check", folder, "--shadows"]) == OK
    out = capsys.readouterr().out
    assert "row 4 of table `deposit_months` is partly hidden: rows 2 and 3 take customers from it" in out
    assert 'row 3 takes grade "C", tenure_months 0, direct_debit true' in out
    assert run(forbear, ["check", folder, "--format", "json"]) == OK
    said = json.loads(capsys.readouterr().out)["problems"]
    assert [p["severity"] for p in said if p["code"] == "row-partly-hidden"] == ["info", "info"]


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("DE", "build it with `forbear calendar build DE 2026`"),
        ("UK", "did you mean `GB`? build it with `forbear calendar build GB 2026`"),
        ("USA", "did you mean `US`?"),
        ("NC", "build it with `forbear calendar build NC 2026`"),
        ("QQ", "calendars: `CN`"),
    ],
)
def test_a_calendar_that_is_not_there_is_told_with_how_to_build_it(
    name: str, advice: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies/collections/policy.yaml"
    text = path.read_text(encoding="utf-8")
    assert "calendar: CN" in text
    path.write_text(text.replace("calendar: CN", f"calendar: {name}"), encoding="utf-8")
    assert run(forbear, ["check", str(path.parent), "--format", "json"]) == FINDINGS
    said = json.loads(capsys.readouterr().out)["problems"]
    assert next(p["advice"] for p in said if p["code"] == "unknown-calendar").startswith(advice)


@pytest.mark.parametrize(
    ("folder", "file", "key"), [("calendars", "TW", "calendar"), ("regulations", "none", "law")]
)
def test_a_text_of_the_shelf_is_called_as_its_file(
    folder: str, file: str, key: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = (ROOT / f"policies/{folder}/{file}.yaml").read_text(encoding="utf-8")
    assert f"\n{key}: {file}\n" in f"\n{text}"
    (tmp_path / "XX.yaml").write_text(text, encoding="utf-8")
    assert run(forbear, ["check", str(tmp_path)]) == FINDINGS
    out = capsys.readouterr().out
    assert f"error[name-of-file]: the file is `XX.yaml`, and what is in it is called `{file}`" in out
    assert f"advice: write `{key}: XX`, or name the file `{file}.yaml`" in out


@pytest.mark.parametrize(
    ("old", "new", "told", "code"),
    [
        (
            "by: segment",
            "by: sgment",
            "no policy here reads an entry `sgment` of the customer file",
            FINDINGS,
        ),
        ("by: segment", "by: colour_of_hair", "no policy here reads an entry `colour_of_hair`", OK),
        ("sme: sme-credit", "smee: sme-credit", "`segment` is never `smee` in the policies here", OK),
    ],
)
def test_what_the_portfolio_chooses_by_is_held_against_the_policies(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], old: str, new: str, told: str, code: int
) -> None:
    shutil.copytree(ROOT / "policies", tmp_path / "policies")
    path = tmp_path / "policies" / "portfolio.yaml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    assert run(forbear, ["check", str(path)]) == code
    out = capsys.readouterr().out
    assert told in out
    assert f"{path}:" in out
    assert ("did you mean `segment`?" in out) is (new == "by: sgment")
