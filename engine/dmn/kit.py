"""The DMN conformance kit, run: any files laid out as the kit's `TestCases` are."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, Literal

from engine.dmn.evaluation import (
    Evaluation,
    InputTooDeep,
    NotInModel,
    evaluate_bkm,
    evaluate_decision,
    evaluate_service,
)
from engine.dmn.expressions import FunctionDefinition, parts
from engine.dmn.facts import Untyped, facts_from_json, input_names, is_written, number_in, says_no_type
from engine.dmn.kit_cases import BadCase, Case, is_case_file, read_cases
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.loading import Model, load_model
from engine.feel.operators import same
from engine.feel.values import NotAFeelValue, Value, show
from engine.policy import Loaded

TOLERANCE: Final = Decimal("1e-8")
"""Numbers that are nearer than this are equal, as in the kit's own runner."""
LEVEL: Final = re.compile(r"^.*?((?:compliance-level-|non-compliant)[^/]*)")
"""What stands before the folder of a level, as in `TestCases/compliance-level-2`, is no part of the names."""
Status = Literal["passed", "failed", "error"]


@dataclass(frozen=True, slots=True)
class CaseResult:
    """How one case went."""

    folder: str
    """`compliance-level-3/0001-filter`."""
    file: str
    """The name of the case file, without `.xml`."""
    case: str
    status: Status
    """`failed`: another value came; `error`: the case could not be run."""
    expects_a_value: bool
    message: str = ""
    outside: str = ""
    """The code outside of the model that the case needs, such as a Java class; never run."""

    @property
    def level(self) -> str:
        """The folder of the level: `compliance-level-3`."""
        return self.folder.partition("/")[0] if "/" in self.folder else "other"


@dataclass(frozen=True, slots=True)
class Count:
    """Cases by how they went."""

    passed: int
    failed: int
    errors: int

    @property
    def total(self) -> int:
        """All cases."""
        return self.passed + self.failed + self.errors

    @property
    def numbers(self) -> dict[str, int]:
        """The counts by name."""
        return {"cases": self.total, "passed": self.passed, "failed": self.failed, "errors": self.errors}

    @property
    def rate(self) -> Decimal:
        """The passed ones in percent, with two decimals, rounded down."""
        return Decimal(self.passed * 10_000 // self.total) / 100 if self.total else Decimal(0)


@dataclass(frozen=True, slots=True)
class KitReport:
    """How all cases went."""

    results: tuple[CaseResult, ...]

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that have cases."""
        return tuple(sorted({result.level for result in self.results}))

    def count(self, level: str = "", *, only_values: bool = False) -> Count:
        """Count the cases of a level, or of all; apart, those that expect a value and not null."""
        chosen = [
            result.status for result in self.results
            if (not level or result.level == level) and (result.expects_a_value or not only_values)
        ]  # fmt: skip
        return Count(chosen.count("passed"), chosen.count("failed"), chosen.count("error"))

    def counts(self) -> dict[str, dict[str, dict[str, int]]]:
        """Return all counts by level (`all` is one of them), for all cases and for those with a value."""
        return {
            level or "all": {
                "all": self.count(level).numbers,
                "values": self.count(level, only_values=True).numbers,
            }
            for level in ("", *self.levels)
        }

    @property
    def wrong(self) -> tuple[CaseResult, ...]:
        """The cases that did not pass."""
        return tuple(result for result in self.results if result.status != "passed")

    def csv(self) -> str:
        """Return the rows that a vendor submits: folder, file, case, SUCCESS or ERROR, message."""
        rows = (
            (r.folder, r.file, r.case, "SUCCESS" if r.status == "passed" else "ERROR", r.message)
            for r in self.results
        )
        return "".join(",".join(map(_quoted, row)) + "\n" for row in rows)


def run_kit(
    files: Mapping[str, bytes], *, at: datetime | None = None, limits: DmnLimits = LIMITS
) -> KitReport:
    """Run all cases among the files, by their paths below `TestCases`; `at` is what `now()` says."""
    return KitReport(tuple(kit_results(files, at=at, limits=limits)))


def kit_results(
    files: Mapping[str, bytes], *, at: datetime | None = None, limits: DmnLimits = LIMITS
) -> Iterator[CaseResult]:
    """Yield the result of each case as soon as it is known, in the order of the paths."""
    folders: dict[str, dict[str, bytes]] = {}
    for path in sorted(files):
        folder, _, name = path.rpartition("/")
        folders.setdefault(folder, {})[name] = files[path]
    for folder, inside in folders.items():
        for name, data in inside.items():
            if name.endswith(".xml") and is_case_file(data):
                yield from _Suite(folder, name, inside, at, limits).results()


class _Suite:
    """One file of cases."""

    def __init__(
        self, folder: str, name: str, files: Mapping[str, bytes], at: datetime | None, limits: DmnLimits
    ) -> None:
        self.folder = LEVEL.sub(r"\1", folder)
        self.name, self.files, self.at, self.limits = name, files, at, limits

    def results(self) -> Iterator[CaseResult]:
        try:
            read = read_cases(self.files[self.name], self.name, self.limits)
        except BadCase as bad:
            yield self.result("", "error", False, str(bad))
            return
        models = {name: data for name, data in self.files.items() if not is_case_file(data)}
        loaded: Loaded[Model] = Loaded(None, ())
        if read.model in models:
            loaded = load_model(models, read.model, limits=self.limits)
        why = loaded.problems[0].message if loaded.problems else f"there is no file `{read.model}`"
        for case in read.cases:
            if loaded.policy is None or case.wrong:
                yield self.result(case.id, "error", case.expects_a_value, case.wrong or why)
            else:
                yield self.tried(loaded.policy, case)

    def result(self, case: str, status: Status, value: bool, message: str, outside: str = "") -> CaseResult:
        name = self.name.removesuffix(".xml")
        return CaseResult(self.folder, name, case, status, value, message, outside)

    def tried(self, model: Model, case: Case) -> CaseResult:
        """Run one case."""
        try:
            wrong = list(self.differences(model, case))
        except (InputTooDeep, NotInModel, NotAFeelValue) as error:
            return self.result(case.id, "error", case.expects_a_value, str(error))
        if not wrong:
            return self.result(case.id, "passed", case.expects_a_value, "")
        outside = outside_of(model) if "external-function" in " ".join(wrong) else ""
        return self.result(case.id, "failed", case.expects_a_value, "; ".join(wrong), outside)

    def differences(self, model: Model, case: Case) -> Iterator[str]:
        """Yield a sentence for each expected value that did not come."""
        for expected in case.expected:
            evaluation = self.evaluated(model, case, expected.name)
            got = evaluation.value
            if case.kind == "decisionService" and len(case.expected) > 1 and isinstance(got, dict):
                got = got.get(expected.name)
            if not alike(expected.value, got):
                why = "".join(f" ({w.code}: {w.message})" for w in evaluation.warnings[:2])
                yield f"{expected.name}: expected {show(expected.value):.300}, got {show(got):.300}{why}"

    def evaluated(self, model: Model, case: Case, name: str) -> Evaluation:
        """Evaluate what a case asks for; inputs without a type are of the one that the model declares."""
        function = "" if case.kind == "decision" else case.invocable or name
        known = input_names(model, function)
        for given in case.inputs:
            if given not in known:
                raise NotInModel("input", given, known)
        untyped = {name: value for name, value in case.inputs.items() if says_no_type(value)}
        inputs = case.inputs | facts_from_json(model, untyped, function)
        if case.kind == "decisionService":
            return evaluate_service(model, case.invocable, inputs, at=self.at, limits=self.limits)
        if case.kind == "bkm":
            return evaluate_bkm(model, function, inputs, at=self.at, limits=self.limits)
        return evaluate_decision(model, name, inputs, at=self.at, limits=self.limits)


def alike(expected: Value, got: Value) -> bool:
    """Tell whether a value is what is expected; numbers may differ by less than the tolerance."""
    if isinstance(expected, Untyped):
        number = number_in(expected) if isinstance(got, Decimal) else None
        return is_written(got, expected) if number is None else alike(number, got)
    match expected, got:
        case Decimal(), Decimal():
            return expected.is_finite() and abs(expected - got) < TOLERANCE
        case list(), list():
            return len(expected) == len(got) and all(map(alike, expected, got))
        case dict(), dict():
            return expected.keys() == got.keys() and all(
                alike(item, got[key]) for key, item in expected.items()
            )
    return same(expected, got)


def outside_of(model: Model) -> str:
    """Return the kinds of functions of a model that name code outside of it."""
    kinds = set()
    for definitions in model.models.values():
        stack: list[object] = [
            getattr(e, "expression", None) or getattr(e, "logic", None) for e in definitions.elements
        ]
        while stack:
            top = stack.pop()
            if isinstance(top, FunctionDefinition) and top.kind != "FEEL":
                kinds.add(top.kind)
            if top is not None and hasattr(top, "span"):
                stack.extend(parts(top))
    return ", ".join(sorted(kinds)) or "Java"


def _quoted(cell: str) -> str:
    return '"' + " ".join(cell.split()).replace('"', '""') + '"'
