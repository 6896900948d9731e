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


def to_sarif(problems: Sequence[Problem], sources: Mapping[str, str]) -> str:
    """Return one SARIF log: a rule for each kind of mistake, a result for each problem."""
    rules = sorted({problem.code for problem in problems})
    places = {code: index for index, code in enumerate(rules)}
    driver = {
        "name": "forbear",
        "version": ENGINE,
        "rules": [{"id": code, "name": code.title().replace("-", "")} for code in rules],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(problem, places[problem.code], sources) for problem in problems],
    }
    log = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(log, ensure_ascii=False, indent=2)


def _result(problem: Problem, rule: int, sources: Mapping[str, str]) -> dict[str, Any]:
    text = f"{problem.message}. Advice: {problem.advice}" if problem.advice else problem.message
    found: dict[str, Any] = {
        "ruleId": problem.code,
        "ruleIndex": rule,
        "level": _LEVELS[problem.severity],
        "message": {"text": text},
        "locations": [_location(problem.span, sources)],
    }
    if problem.related:
        found["relatedLocations"] = [
            {"id": number, "message": {"text": note}, **_location(span, sources)}
            for number, (note, span) in enumerate(problem.related, 1)
        ]
    return found


def _location(span: Span, sources: Mapping[str, str]) -> dict[str, Any]:
    region: dict[str, Any] = {
        "startLine": span.line,
        "startColumn": span.column,
        "endColumn": span.column + max(1, span.length),
    }
    lines = sources.get(span.file, "").splitlines()
    if span.line <= len(lines):
        region["snippet"] = {"text": lines[span.line - 1]}
    found: dict[str, Any] = {
        "physicalLocation": {"artifactLocation": {"uri": _uri(span.file)}, "region": region}
    }
    return {**found, "logicalLocations": [{"name": span.cell}]} if span.cell else found


def _uri(file: str) -> str:
    path = Path(file)
    return path.as_uri() if path.is_absolute() else quote(path.as_posix())
