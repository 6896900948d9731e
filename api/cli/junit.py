"""Cases as JUnit XML, as build servers read it: a suite a file of cases, a test a case."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol
from xml.sax.saxutils import escape, quoteattr

from engine.source import Problem

_UNPRINTABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Suite(Protocol):
    """How the cases beside one policy went."""

    @property
    def name(self) -> str:
        """The file of the cases."""
        ...

    @property
    def held(self) -> tuple[str, ...]:
        """The sentences of the cases that hold."""
        ...

    @property
    def told(self) -> tuple[tuple[str, str, int, tuple[str, ...]], ...]:
        """Each case that does not: sentence, file, line, why."""
        ...

    @property
    def errors(self) -> tuple[Problem, ...]:
        """Why no case could be run."""
        ...


def to_junit(suites: Sequence[Suite]) -> str:
    """Return one XML text; what XML cannot hold is shown as a question mark."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites{_counts(suites)}>"]
    for suite in suites:
        lines.append(f"  <testsuite name={_attribute(suite.name)}{_counts([suite])}>")
        lines += [f"    <testcase{_named(suite, case)}/>" for case in suite.held]
        for case, file, line, why in suite.told:
            first = why[0] if why else "it does not hold"
            lines.append(f'    <testcase{_named(suite, case)} file={_attribute(file)} line="{line}">')
            lines.append(f"      <failure message={_attribute(first)}>{_text(chr(10).join(why))}</failure>")
            lines.append("    </testcase>")
        for problem in suite.errors:
            place = f' file={_attribute(problem.span.file)} line="{problem.span.line}"'
            lines.append(f"    <testcase{_named(suite, 'the file can be read')}{place}>")
            told = _text(f"{problem.span}: {problem.message}")
            lines.append(f"      <error message={_attribute(problem.message)}>{told}</error>")
            lines.append("    </testcase>")
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>"])


def _counts(suites: Sequence[Suite]) -> str:
    failures = sum(len(suite.told) for suite in suites)
    errors = sum(len(suite.errors) for suite in suites)
    tests = sum(len(suite.held) for suite in suites) + failures + errors
    return f' tests="{tests}" failures="{failures}" errors="{errors}"'


def _named(suite: Suite, case: str) -> str:
    return f" classname={_attribute(suite.name)} name={_attribute(case)}"


def _attribute(text: str) -> str:
    return quoteattr(_printable(text), {"\n": "&#10;", "\t": "&#9;"})


def _text(text: str) -> str:
    return escape(_printable(text))


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("?", text)
