"""How far apart the values of an expression lie: cents, whole numbers, the thousands of `floor(x, -3)`."""

from __future__ import annotations

from decimal import Decimal
from functools import reduce
from math import gcd

from engine.credit.domains import Numbers, of_fact
from engine.credit.model import CreditPolicy, DecisionTable, Formula, HitPolicy, Scorecard
from engine.feel import syntax as s

_ROUNDING = ("floor", "ceiling", "decimal", "round up", "round down", "round half up", "round half down")
_PICKING = ("max", "min", "sum", "abs")
_COUNTS = ("count", "string length")
_WHOLE = ("year", "month", "day", "weekday", "years", "months", "days")


def grain_of(policy: CreditPolicy, node: s.Node) -> Decimal | None:
    """Return a step of which every value of an expression is a multiple; None: none is known; 0: always 0."""
    return Grains(policy).of(node)


class Grains:
    """One policy's decisions, each looked at once; a circle has no grain."""

    def __init__(self, policy: CreditPolicy) -> None:
        self.policy = policy
        self.known: dict[tuple[str, str], Decimal | None] = {}

    def of(self, node: s.Node) -> Decimal | None:
        """Return the grain of an expression."""
        match node:
            case s.Number(value):
                return abs(value)
            case s.Negation(operand):
                return self.of(operand)
            case s.Name(name):
                return self._named(name, "")
            case s.Path(s.Name(name), entry) if name in self.policy.decisions:
                return self._named(name, entry)
            case s.Path(_, entry) if entry in _WHOLE:
                return Decimal(1)
            case s.Arithmetic("+" | "-", left, right):
                return self._shared([left, right])
            case s.Arithmetic("*", left, right):
                one, other = self.of(left), self.of(right)
                return None if one is None or other is None else one * other
            case s.If(_, then, otherwise):
                return self._shared([then, otherwise])
            case s.ListLiteral(items):
                return self._shared(items)
            case s.Call(s.Name(function), arguments, ()) if arguments:
                return self._called(function, arguments)
        return None

    def _called(self, function: str, arguments: tuple[s.Node, ...]) -> Decimal | None:
        if function in _COUNTS:
            return Decimal(1)
        if function in _PICKING or function == "modulo":
            return self._shared(arguments)
        if function not in _ROUNDING:
            return None
        own = self.of(arguments[0])
        places = arguments[1] if len(arguments) > 1 else s.Number(Decimal(0))
        sign = -1 if isinstance(places, s.Negation) else 1
        number = places.operand if isinstance(places, s.Negation) else places
        if not isinstance(number, s.Number) or abs(number.value) > 34:
            return None
        step = Decimal(1).scaleb(-sign * int(number.value))
        return own if own is not None and own % step == 0 else step

    def _shared(self, nodes: tuple[s.Node, ...] | list[s.Node]) -> Decimal | None:
        return shared([self.of(node) for node in nodes if not isinstance(node, s.Null)])

    def _named(self, name: str, entry: str) -> Decimal | None:
        if name in self.policy.facts:
            domain = of_fact(self.policy.facts[name], self.policy.currency)
            return (
                (domain.cents or (Decimal(1) if domain.whole else None))
                if isinstance(domain, Numbers)
                else None
            )
        if (name, entry) not in self.known:
            self.known[name, entry] = None
            self.known[name, entry] = self._decided(name, entry)
        return self.known[name, entry]

    def _decided(self, name: str, entry: str) -> Decimal | None:
        decision = self.policy.decisions.get(name)
        if isinstance(decision, Formula):
            return self.of(decision.expression.node)
        if isinstance(decision, Scorecard):
            first = sum((part.bins[0].points for part in decision.characteristics), decision.base)
            return shared([points_apart(decision), abs(first)])
        if not isinstance(decision, DecisionTable):
            return None
        if decision.hit is HitPolicy.COLLECT_COUNT:
            return Decimal(1)
        column = next((i for i, o in enumerate(decision.outputs) if o.name == entry), 0)
        if decision.hit.lists or (not entry and len(decision.outputs) > 1):
            return None
        results = [rule.results[column].node for rule in decision.rules]
        results += [decision.otherwise[column].node] if decision.otherwise is not None else []
        return self._shared(results)


def shared(grains: list[Decimal | None]) -> Decimal | None:
    """Return the largest step of which all others are multiples; None when one is not known."""
    known = [grain for grain in grains if grain is not None]
    if not known or len(known) < len(grains):
        return None
    scale = min(0, *(int(grain.as_tuple().exponent) for grain in known))
    return Decimal(reduce(gcd, (int(grain.scaleb(-scale)) for grain in known), 0)).scaleb(scale)


def points_apart(card: Scorecard) -> Decimal:
    """Return the largest step that all sums of a scorecard are apart."""
    points = [[bin_.points for bin_ in part.bins] for part in card.characteristics]
    apart = shared([abs(one - own[0]) for own in points for one in own])
    return apart or Decimal(1)
