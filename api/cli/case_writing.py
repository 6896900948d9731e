"""Cases written for the author: those that are missing, and expectations as they came out."""

from __future__ import annotations

import re
from collections.abc import Iterable

from api.cli.frame import Trouble
from api.cli.policy_files import CASES, CSV_CASES, PolicyFiles
from api.cli.surroundings import calendar_for, law_for
from engine.credit import load_credit
from engine.credit.cases import read_bases, read_cases, run_cases
from engine.credit.generating import Base, as_yaml, generate
from engine.ladder import load_collections, run_timelines
from engine.ladder.comparing import NO_CASE
from engine.source import Span
from engine.text import ListNode, MapNode, read_yaml

HEADING = "# At the bounds: written by `forbear test --generate`, to be read before they are kept"


def with_generated(files: PolicyFiles) -> tuple[bytes, int]:
    """Return the cases of a credit policy with those that are missing at the end, and how many they are."""
    policy = load_credit(files.texts, files.root).policy
    data = files.texts[CASES]
    cases = read_cases(policy, data, CASES, files.texts.get(CSV_CASES)).policy if policy else None
    if policy is None or cases is None:
        raise Trouble(f"`{files.path}` or its cases cannot be read; `forbear check {files.folder}` says why.")
    bases = [Base(name, day, facts) for name, (day, facts) in read_bases(policy, data, CASES).items()]
    bases = bases or [Base("", case.as_of, case.facts) for case in cases[:2]]
    found = generate(policy, cases, bases)
    if not found:
        return data, 0
    text = data.decode()
    indent = _indent_of_cases(data, files)
    heading = "" if HEADING in text else f"\n\n{indent}{HEADING}"
    return (text.rstrip() + heading + as_yaml(found, indent) + "\n").encode(), len(found)


def _indent_of_cases(data: bytes, files: PolicyFiles) -> str:
    node = read_yaml(data, CASES).policy
    cases = node.get("cases") if isinstance(node, MapNode) else None
    last = isinstance(node, MapNode) and node.entries[-1][0].text == "cases"
    if not isinstance(cases, ListNode) or not last or not cases.items:
        raise Trouble(
            f"`cases:` must stand last in `{files.folder / CASES}`, with a case in it, to be added to."
        )
    line = data.decode("utf-8-sig").splitlines()[cases.span.line - 1]
    if not line.lstrip().startswith("- "):
        raise Trouble(
            f"The cases in `{files.folder / CASES}` stand in brackets; write each as `- case: ...`."
        )
    return line[: len(line) - len(line.lstrip())]


def with_updates(files: PolicyFiles) -> tuple[bytes, int, int]:
    """Return the cases with what came out as expected; how many changed, and how many could not."""
    edits = list(_edits(files))
    lines = files.texts[CASES].decode("utf-8-sig").splitlines(keepends=True)
    done = 0
    for span, got in sorted(set(edits), reverse=True):
        line = lines[span.line - 1]
        end = _end(line, span)
        if end is not None:
            lines[span.line - 1] = line[: span.column - 1] + got + line[end:]
            done += 1
    return "".join(lines).encode(), done, len(set(edits)) - done


def _edits(files: PolicyFiles) -> Iterable[tuple[Span, str]]:
    data = files.texts[CASES]
    if files.what == "credit":
        policy = load_credit(files.texts, files.root).policy
        for result in run_cases(policy, data, CASES).failed if policy else ():
            for mismatch in result.mismatches:
                if mismatch.name != "the machines":
                    yield mismatch.span, mismatch.got
    elif files.what == "collections" and (ladder := load_collections(files.texts, files.root).policy):
        law, calendar = law_for(files, ladder.regulation), calendar_for(files, ladder.calendar)
        for played in run_timelines(ladder, law, calendar, data, CASES, texts=files.texts).failed:
            for wrong in played.mismatches:
                if ": " in wrong.what and wrong.got != (NO_CASE,):
                    yield wrong.span, _listed(wrong.got, many=wrong.what.endswith((": do", ": rows")))


def _listed(got: tuple[str, ...], *, many: bool) -> str:
    if many and got not in ((), ("nothing",)):
        return f"[{', '.join(map(_word, got))}]"
    return _word(got[0]) if got else "nothing"


def _word(text: str) -> str:
    """Return a word, a number, a day or a truth value as it stands, anything else in quotes."""
    return text if re.fullmatch(r"[\w.-]+", text) else f'"{text}"'


def _end(line: str, span: Span) -> int | None:
    """Return where a value on one line ends; None when it goes on."""
    start = span.column - 1
    if line[start : start + 1] != "[":
        return start + span.length if span.length > 1 or line[start : start + 1].strip() else None
    quoted = re.compile(r"\[(?:\"[^\"]*\"|'[^']*'|[^\]\"'])*\]").match(line, start)
    return quoted.end() if quoted else None
