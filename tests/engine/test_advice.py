"""Advice is worth following: what a message says to write is written, and the mistake is gone, nothing new.

Every broken policy is mended by its own messages, one at a time, word by word; where the text to write is not
the first thing an advice says, or stands elsewhere, an officer reads on, and so it is not mended here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import pytest

from engine.credit import load_credit
from engine.credit.check_promises import promise_problems
from engine.ladder import check_days, check_graph, check_law, load_collections, load_law
from engine.source import Problem, Severity, Span
from engine.watch import load_watch
from engine.workdays import load_calendar
from tests.engine.ladder.world import calendar, law
from tests.update_expected import BAD, texts_of

SAYS = re.compile(r"(?:write|did you mean|is it the column|use) `([^`]+)`")
ELSEWHERE = (" in `", "`, with the rows", " the table ", "beside `", "under `", " behind the colon", " alone")
"""What an advice says of a place other than the one that is marked."""
ELSE_NEEDED = {
    "collections-contact-fallback-channel": "the channel that is meant stands in the list already",
    "collections-graph-wait-past-age": "the step after it asks for less age, which is told then",
    "collections-younger-than-before": "the age of the step before it is the least; the law asks for more",
    "credit-amount-too-precise": "the bin beside a value that is written as a range overlaps it",
    "credit-money-of-number": "the whole entry is written anew, not the value alone",
    "credit-threshold-between-amounts": "the row beside it begins at the same threshold",
    "collections-interest-per-day": "an example rate; with the late fee it is more than the law allows",
    "collections-kind-of-another": "a collections policy after all, or a credit policy in a wrong folder",
    "collections-step-with-blank": "the steps after it name it as it should be",
    "collections-threshold-thousands": "1250.00 was not meant by the rest of the ladder",
    "collections-unknown-hold": "the same hold is misspelt in two places",
    "credit-column-mixed": "another table asks for the letter that was overwritten",
    "credit-input-empty": "the row below says the same of everybody",
    "credit-misspelt-output": "the nearest name is the table's own",
    "credit-range-with-dash": "from 1, as it was written: cents below it have no bin",
    "credit-threshold-points-and-comma": "1,000.00 leaves a gap above 100",
    "credit-status-type": "what decides is the author's to say",
    "credit-validity-form": "the whole section is an example",
    "credit-when-missing-plain": "CODE stands for a code",
    "credit-when-unclear": "CODE stands for a code",
    "watch-string-order": "only a person knows which texts are meant",
}


def problems_of(name: str, texts: Mapping[str, bytes]) -> list[Problem]:
    """Return what is said of a broken text, as `forbear check` says it."""
    if name.startswith("credit"):
        loaded = load_credit(texts)
        return [*loaded.problems, *(promise_problems(loaded.policy) if loaded.policy else ())]
    if name.startswith("watch"):
        return list(load_watch(texts).problems)
    if name.startswith("law"):
        return list(load_law(texts["law.yaml"], "law.yaml").problems)
    if name.startswith("calendar"):
        return list(load_calendar(texts["calendar.yaml"], "calendar.yaml").problems)
    collections = load_collections(texts)
    found = collections.policy
    if found is None or collections.problems:
        return list(collections.problems)
    pack = law("us-reg-f" if found.regulation == "us-reg-f" else "cn-telecom")
    told = [] if "-graph-" in name else list(check_law(found, pack))
    days = calendar("US" if found.calendar == "US" else "CN")
    return told or [*check_graph(found), *check_days(found, pack, days)]


def mended(text: str, span: Span, write: str) -> str:
    """Return a text with what stands at a place replaced, as a person would do it."""
    lines = text.splitlines(keepends=True)
    line = lines[span.line - 1]
    start = span.column - 1
    end = start + span.length
    if span.length == 1 and line[start] in "[{":  # a list or a map is marked where it begins
        end = start + re.match(r"[^\]}]*[\]}]?", line[start:]).end()  # type: ignore[union-attr]  # it matches nothing, too
    key, colon, value = write.partition(": ")
    if colon and (line[:start].rstrip().endswith(f"{key}:")):
        write = value
    elif colon and line[:end].endswith(f"{key}:"):
        start, end, write = start, len(line.rstrip("\n")), write
    lines[span.line - 1] = line[:start] + write + line[end:]
    return "".join(lines)


FOLDERS = [
    f for kind in ("credit", "collections", "law", "watch", "calendar") for f in sorted(BAD.glob(f"{kind}-*"))
]
TOLD = {folder.name: problems_of(folder.name, texts_of(folder)) for folder in FOLDERS}


def proposals() -> Iterator[tuple[str, Problem]]:
    for name, problems in TOLD.items():
        for problem in problems:
            says = SAYS.match(problem.advice)
            elsewhere = any(word in problem.advice for word in ELSEWHERE)
            if says and not elsewhere and problem.severity is not Severity.INFO:
                yield name, problem


PROPOSALS = list(proposals())


def test_most_messages_say_what_to_write() -> None:
    assert len(PROPOSALS) >= 150


@pytest.mark.parametrize(("name", "problem"), PROPOSALS, ids=[f"{n}-{p.code}" for n, p in PROPOSALS])
def test_what_an_advice_says_to_write_mends_it(name: str, problem: Problem) -> None:
    if name in ELSE_NEEDED:
        pytest.skip(ELSE_NEEDED[name])
    texts = texts_of(BAD / name)
    before = TOLD[name]
    says = SAYS.match(problem.advice)
    assert says is not None
    text = mended(texts[problem.span.file].decode("utf-8-sig"), problem.span, says[1])
    after = problems_of(name, {**texts, problem.span.file: text.encode()})
    assert (problem.code, problem.message, problem.span.line) not in [
        (p.code, p.message, p.span.line) for p in after
    ]
    assert {p.code for p in after} - {p.code for p in before} == set()


@pytest.mark.parametrize("name", TOLD)
def test_every_error_has_an_advice(name: str) -> None:
    assert [p.code for p in TOLD[name] if p.severity is not Severity.INFO and not p.advice] == []
