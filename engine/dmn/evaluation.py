"""What a model says: of a decision, a decision service, or a business knowledge model (DMN 1.5, 10.4)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from engine.dmn.graph import Node
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.loading import Model
from engine.dmn.model import BusinessKnowledgeModel, Decision, DecisionService
from engine.dmn.run import Run
from engine.dmn.session import Session
from engine.feel.calls import call
from engine.feel.dates import from_python
from engine.feel.interpreter import LimitReached
from engine.feel.values import FeelError, Value, to_feel
from engine.source import Problem
from engine.text import did_you_mean


class NotInModel(LookupError):
    """A caller asks for a decision, service or function that the model does not have."""

    def __init__(self, what: str, name: str, known: Iterable[str]) -> None:
        self.what, self.name = what, name
        names = list(known)
        advice = f"; {did_you_mean(name, names, of='it has')}" if names else ""
        super().__init__(f"the model has no {what} `{name}`{advice}")


class InputTooDeep(ValueError):
    """A caller's input is nested more deeply than any value may be."""

    def __init__(self, name: str, most: int) -> None:
        super().__init__(f"the input `{name}` is nested more than {most} deep (limit `nesting`)")


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a model says, and why some part of it is worth null."""

    value: Value
    warnings: tuple[Problem, ...] = ()


def evaluate_decision(
    model: Model,
    name: str,
    inputs: Mapping[str, Any],
    *,
    at: datetime | None = None,
    limits: DmnLimits = LIMITS,
) -> Evaluation:
    """Return the value of a decision, from its inputs by name (`{namespace}name` for an imported one).

    A decision that is among the inputs is not evaluated. `at` is what `now()` and `today()` say;
    without it they are worth null. Raises NotInModel, InputTooDeep, or NotAFeelValue for an input such as
    a binary float.
    """
    node = _find(model, name, Decision, "decision")
    session = _session(model, at, limits)
    session.give(_values(inputs, limits))
    return _finish(session, lambda: session.decided(node))


def evaluate_service(
    model: Model,
    name: str,
    inputs: Mapping[str, Any],
    *,
    at: datetime | None = None,
    limits: DmnLimits = LIMITS,
) -> Evaluation:
    """Return what a decision service gives for its inputs by name: a value, or a context of several.

    Raises NotInModel, InputTooDeep, or NotAFeelValue for an input such as a binary float.
    """
    node = _find(model, name, DecisionService, "decision service")
    session = _session(model, at, limits)
    given = _values(inputs, limits)
    return _finish(session, lambda: session.serve(node, session.service_inputs(node, given)))


def evaluate_bkm(
    model: Model,
    name: str,
    arguments: Mapping[str, Any],
    *,
    at: datetime | None = None,
    limits: DmnLimits = LIMITS,
) -> Evaluation:
    """Return what a business knowledge model gives for its arguments by name.

    Raises NotInModel, InputTooDeep, or NotAFeelValue for an argument such as a binary float.
    """
    node = _find(model, name, BusinessKnowledgeModel, "business knowledge model")
    session = _session(model, at, limits)
    given = _values(arguments, limits)
    return _finish(session, lambda: call(session.function(node), (), given, session.run.spend))


def _session(model: Model, at: datetime | None, limits: DmnLimits) -> Session:
    clock = {} if at is None else {"now": from_python(at), "today": from_python(at.date())}
    return Session(Run(model, clock, limits), {})


def _finish(session: Session, work: Callable[[], Value]) -> Evaluation:
    run, value = session.run, None
    try:
        value = work()
    except LimitReached as reached:
        run.warn("limit", str(reached), run.model.root.span)
    except FeelError as error:
        run.warn(error.what, error.why, run.model.root.span)
    return Evaluation(value, tuple(run.warnings))


def _find(model: Model, name: str, kind: type[Any], what: str) -> Node:
    node = model.graph.named(model.root, name) or model.graph.by_id.get((model.root.namespace, name))
    if node is None or not isinstance(node.element, kind):
        known = (element.name for element in model.root.elements if isinstance(element, kind))
        raise NotInModel(what, name, known)
    return node


def _values(given: Mapping[str, Any], limits: DmnLimits) -> dict[str, Value]:
    for name, value in given.items():
        stack = [(value, 1)]
        while stack:
            top, depth = stack.pop()
            if depth > limits.nesting:
                raise InputTooDeep(name, limits.nesting)
            if isinstance(top, Mapping | list | tuple):
                inside = top.values() if isinstance(top, Mapping) else top
                stack.extend((item, depth + 1) for item in inside)
    return {name: to_feel(value) for name, value in given.items()}
