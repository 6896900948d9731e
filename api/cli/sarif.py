"""Problems as SARIF 2.1.0 (OASIS), which code hosts and editors show at the lines they speak of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from engine.credit.finish import ENGINE
from engine.source import Problem, Severity, Span

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


_BASE = "%SRCROOT%"
"""What relative addresses are relative to; a log that is published need not say where that is (3.14.14)."""


def to_sarif(problems: Sequence[Problem], sources: Mapping[str, str]) -> str:
    """Return one SARIF log: a rule for each kind of mistake, a result for each problem."""
    rules = sorted({problem.code for problem in problems})
    places = {code: index for index, code in enumerate(rules)}
    driver = {
        "name": "forbear",
        "version": ENGINE,
        "semanticVersion": ENGINE,
        "rules": [_rule(code) for code in rules],
    }
    run = {
        "tool": {"driver": driver},
        "invocations": [{"executionSuccessful": True}],  # it ran to its end, whatever it found (3.20.14)
        "originalUriBaseIds": {
            _BASE: {"description": {"text": "The folder in which `forbear check` was called."}}
        },
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places[problem.code], sources) for problem in problems],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2)


def _rule(code: str) -> dict[str, Any]:
    """Return a kind of mistake with the texts that code hosts ask for; each result says the rest."""
    words = code.replace("-", " ").capitalize()
    return {
        "id": code,
        "name": code.title().replace("-", ""),
        "shortDescription": {"text": f"{words}."},
        "fullDescription": {
            "text": f"{words}: found by `forbear check` in a policy, a law pack, a calendar or the portfolio."
        },
        "help": {"text": "Each result says what was read, why that is wrong, and what to write instead."},
    }


def _result(problem: Problem, rule: int, sources: Mapping[str, str]) -> dict[str, Any]:
    text = f"{problem.message}. Advice: {problem.advice}" if problem.advice else problem.message
    found: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": _LEVELS[problem.severity],
        "message": {"text": text},
        "locations": [_location(problem.span, sources)] if problem.span.file else [],
    }
    if problem.related:
        found["relatedLocations"] = [
            {"id": number, "message": {"text": note}, **_location(span, sources)}
            for number, (note, span) in enumerate(problem.related, 1)
        ]
    return found


def _location(span: Span, sources: Mapping[str, str]) -> dict[str, Any]:
    lines = sources.get(span.file, "").splitlines()
    line = lines[span.line - 1] if span.line <= len(lines) else None
    end = span.column + max(1, span.length)
    region: dict[str, Any] = {"startLine": span.line, "startColumn": span.column, "endColumn": end}
    if line is not None:  # behind its last sign a line has one more column, where nothing is (3.30.6)
        region["startColumn"] = min(span.column, len(line) + 1)
        region["endColumn"] = max(region["startColumn"], min(end, len(line) + 1))
        region["snippet"] = {"text": line}
    physical = {"artifactLocation": _artifact(span.file), "region": region}
    found: dict[str, Any] = {"physicalLocation": physical}
    return {**found, "logicalLocations": [{"name": span.cell}]} if span.cell else found


def _artifact(file: str) -> dict[str, str]:
    path = Path(file)
    if path.is_absolute():
        return {"uri": path.as_uri()}
    return {"uri": quote(path.as_posix()), "uriBaseId": _BASE}
