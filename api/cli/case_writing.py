"""Cases written for the author: those that are missing, and expectations as they came out."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.cli.check_command import counted
from api.cli.frame import Trouble
from api.cli.policy_files import CASES, CSV_CASES, PolicyFiles
from api.cli.surroundings import calendar_for, law_for, policies_beside, portfolio_beside
from engine.credit import load_credit
from engine.credit.case_search import EXAMPLE, example_facts
from engine.credit.cases import Case, read_bases, read_cases, run_cases
from engine.credit.cases_from_csv import in_cell
from engine.credit.cases_to_yaml import Base, as_yaml, fact_text
from engine.credit.generating import generate
from engine.credit.model import CreditPolicy
from engine.ladder import load_collections, run_timelines
from engine.ladder.comparing import NO_CASE
from engine.source import Span
from engine.text import ListNode, MapNode, ScalarNode, csv_with_cells, read_yaml

FROM_TYPES = "# An example made from the types of the facts, to be replaced by a real one"
HEADING = "# At the bounds: written by `forbear test --generate`, to be read before they are kept"


@dataclass(frozen=True, slots=True)
class Written:
    """What is to be written, by the name of the file, and what is to be said of it."""

    texts: dict[str, bytes]
    told: tuple[str, ...] = ()


def with_generated(files: PolicyFiles) -> Written:
    """Return the cases of a credit policy with those that are missing at the end; others have none made."""
    if files.what != "credit":
        return Written({}, (f"{files.path}: cases are made for credit policies only; none was added.",))
    policy = load_credit(files.texts, files.root).policy
    data = _bracketed(files.cases) if files.cases is not None else None
    cases = read_cases(policy, data, CASES, files.texts.get(CSV_CASES)).policy if policy else None
    if policy is None or cases is None:
        raise Trouble(f"`{files.path}` or its cases cannot be read; `forbear check {files.folder}` says why.")
    bases = _bases(policy, data, cases)
    found = generate(policy, cases, bases)
    path = files.folder / CASES
    added = counted(len(found.cases), "case added", "cases added")
    told = (*((f"{path}: {added}.",) if found.cases else ()), *(f"  {line}" for line in found.left))
    if not found.cases:
        return Written({}, told)
    text = data.decode("utf-8-sig") if data is not None else f"policy: {policy.name}\n\ncases: []\n"
    if not cases:
        text = _opened(files, text, policy, bases[0])
    indent = _indent_of_cases(text.encode(), files) if cases and data is not None else "  "
    heading = "" if HEADING in text else f"\n\n{indent}{HEADING}"
    return Written({CASES: (text.rstrip() + heading + as_yaml(found.cases, indent) + "\n").encode()}, told)


def _bracketed(data: bytes) -> bytes:
    """Return a file of cases in which `cases:` without anything is a list without anything."""
    node = read_yaml(data, CASES).policy
    cases = node.get("cases") if isinstance(node, MapNode) else None
    empty = isinstance(cases, ScalarNode) and cases.is_null
    return re.sub(rb"(?m)^cases:[ \t]*(?=#|\r?$)", b"cases: [] ", data) if empty else data


def _bases(policy: CreditPolicy, data: bytes | None, cases: Sequence[Case]) -> list[Base]:
    """Return the sets of facts to start from: those of the file, those of a case, or an example."""
    named = read_bases(policy, data, CASES) if data is not None else {}
    bases = [Base(name, day, facts) for name, (day, facts) in named.items()]
    bases = bases or [Base("", case.as_of, case.facts) for case in cases[:2]]
    day = policy.effective_from
    return bases or [Base(EXAMPLE, day, example_facts(policy, day))]


def _opened(files: PolicyFiles, text: str, policy: CreditPolicy, base: Base) -> str:
    """Return a file without a case, ready for the first one: with a day, a set of facts, and no brackets."""
    node = read_yaml(text.encode(), CASES).policy
    last = node.entries[-1][0].text if isinstance(node, MapNode) and node.entries else ""
    head, found, tail = text.rpartition("cases:")
    if last != "cases" or not found or tail.split("#")[0].strip() not in ("", "[]", "null", "~"):
        raise Trouble(f"`cases:` must stand last in `{files.folder / CASES}` to be added to.")
    lines = "" if isinstance(node, MapNode) and node.get("as_of") else f"as_of: {base.as_of}\n"
    if not (isinstance(node, MapNode) and node.get("facts_base")):
        facts = ", ".join(f"{name}: {fact_text(fact, base.as_of)}" for name, fact in base.facts.items())
        lines += f"facts_base:\n  {FROM_TYPES}\n  {EXAMPLE}: {{{facts}}}\n"
    return f"{head}{lines}cases:"


def _indent_of_cases(data: bytes, files: PolicyFiles) -> str:
    node = read_yaml(data, CASES).policy
    cases = node.get("cases") if isinstance(node, MapNode) else None
    last = isinstance(node, MapNode) and node.entries[-1][0].text == "cases"
    if not isinstance(cases, ListNode) or not last:
        raise Trouble(f"`cases:` must stand last in `{files.folder / CASES}` to be added to.")
    line = data.decode("utf-8-sig").splitlines()[cases.span.line - 1]
    if not line.lstrip().startswith("- "):
        raise Trouble(
            f"The cases in `{files.folder / CASES}` stand in brackets; write each as `- case: ...`."
        )
    return line[: len(line) - len(line.lstrip())]


def with_updates(files: PolicyFiles) -> Written:
    """Return the cases with what came out as expected; what could not be written is told."""
    edits = set(_edits(files))
    texts: dict[str, bytes] = {}
    told: list[str] = []
    for name, update in ((CASES, _yaml_updated), (CSV_CASES, _csv_updated)):
        own = {(span, got) for span, got in edits if span.file == name}
        if not own:
            continue
        texts[name], done = update(files.texts[name], own)
        path, left = files.folder / name, len(own) - done
        if done:
            told.append(f"{path}: {counted(done, 'expectation updated', 'expectations updated')}.")
        if left:
            goes = counted(left, "expectation goes", "expectations go")
            told.append(f"{path}: {goes} over several lines or is a map; change by hand.")
    return Written({name: data for name, data in texts.items() if data != files.texts[name]}, tuple(told))


def _yaml_updated(data: bytes, edits: Iterable[tuple[Span, str]]) -> tuple[bytes, int]:
    lines = data.decode("utf-8-sig").splitlines(keepends=True)
    done = 0
    for span, got in sorted(edits, reverse=True):
        line = lines[span.line - 1]
        end = _end(line, span)
        if end is not None:
            lines[span.line - 1] = line[: span.column - 1] + got + line[end:]
            done += 1
    return "".join(lines).encode(), done


def _csv_updated(data: bytes, edits: Iterable[tuple[Span, str]]) -> tuple[bytes, int]:
    lines = data.decode("utf-8-sig").splitlines()
    cells: dict[tuple[int, int], str] = {}
    for span, got in edits:
        start = span.column - 1
        cells[span.line, span.column] = in_cell(got, lines[span.line - 1][start : start + span.length])
    return csv_with_cells(data, cells), len(cells)


def _edits(files: PolicyFiles) -> Iterable[tuple[Span, str]]:
    data = files.texts.get(CASES, b"")
    if files.what == "credit":
        policy = load_credit(files.texts, files.root).policy
        table = files.texts.get(CSV_CASES)
        for result in run_cases(policy, files.cases, CASES, table).failed if policy else ():
            for mismatch in result.mismatches:
                if mismatch.name != "the machines":
                    yield mismatch.span, mismatch.got
    elif files.what == "collections" and (ladder := load_collections(files.texts, files.root).policy):
        law, calendar = law_for(files, ladder.regulation), calendar_for(files, ladder.calendar)
        report = run_timelines(
            ladder,
            law,
            calendar,
            data,
            CASES,
            texts=files.texts,
            beside=policies_beside(files),
            named=portfolio_beside(files),
        )
        for played in report.failed:
            for wrong in played.mismatches:
                if ": " in wrong.what and wrong.got != (NO_CASE,):
                    yield wrong.span, _listed(wrong.got, many=wrong.what.endswith(_LISTS))


_LISTS = (": do", ": rows", ": sent", ": figures")
"""What is written as a list: all of it came."""


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
    if line[start : start + 1] == "{":
        return None  # a map says several things, of which one is told: nobody knows what to write for all
    if line[start : start + 1] != "[":
        return start + span.length if span.length > 1 or line[start : start + 1].strip() else None
    quoted = re.compile(r"\[(?:\"[^\"]*\"|'[^']*'|[^\]\"'])*\]").match(line, start)
    return quoted.end() if quoted else None
