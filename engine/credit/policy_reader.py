"""A reader that also reads FEEL and knows the texts of one policy."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal

from engine.credit.model import Expression, FactKind, FactValue, Tests
from engine.feel.parser import parse_expression, parse_unary_tests
from engine.feel.syntax import Node as FeelNode
from engine.feel.syntax import UnaryTests
from engine.policy import Texts
from engine.source import Problem, Span
from engine.text import Node, Reader, ScalarNode, did_you_mean
from engine.text.meant import advice_on, full_width, meant_test, proposal

_WORD = re.compile(r"\w+")


class PolicyReader(Reader):
    """Reads the nodes of one policy; `names` are those that its expressions may use."""

    def __init__(self, texts: Texts) -> None:
        super().__init__()
        self.texts = texts
        self.used: set[str] = set()
        self.names: Collection[str] = ()
        self._odd: list[str] | None = None
        self._expressions: dict[str, FeelNode] = {}
        self._tests: dict[str, UnaryTests] = {}

    def file(self, path: str, span: Span) -> bytes | None:
        """Return the bytes of a file of the policy, by its path beside the policy file."""
        if path not in self.texts:
            advice = f"put it beside the policy file; {did_you_mean(path, self._others())}".rstrip("; ")
            self.error("unknown-file", f"there is no file `{path}`", span, advice)
            return None
        self.used.add(path)
        return self.texts[path]

    def _others(self) -> list[str]:
        return [path for path in self.texts if path not in self.used]

    def expression(self, node: Node, what: str) -> Expression | None:
        """Return the expression that a scalar holds."""
        found = self.scalar(node, what)
        return self.expression_at(found.text, found.inner) if found else None

    def expression_at(self, text: str, span: Span) -> Expression | None:
        """Return the expression of a text that begins at `span`."""
        if text not in self._expressions:
            loaded = parse_expression(text, span, self._names_in(text))
            self.take(_amount(full_width(polished(problem), text, span), text) for problem in loaded.problems)
            if loaded.policy is None:
                return None
            self._expressions[text] = loaded.policy
        return Expression(text, span, self._expressions[text])

    def tests_at(self, text: str, span: Span) -> Tests | None:
        """Return the unary tests of a cell that begins at `span`."""
        if text not in self._tests:
            loaded = parse_unary_tests(text, span, self._names_in(text))
            self.take(_meant(full_width(polished(problem), text, span), text) for problem in loaded.problems)
            if loaded.policy is None:
                return None
            self._tests[text] = loaded.policy
        return Tests(text, span, self._tests[text])

    def _names_in(self, text: str) -> list[str]:
        """Return the names that can stand in a text: thousands of others would be read for each cell."""
        if self._odd is None:
            self._odd = [name for name in self.names if not _WORD.fullmatch(name)]
        return [*(word for word in set(_WORD.findall(text)) if word in self.names), *self._odd]

    def fact_value(self, node: Node, what: str, kind: FactKind) -> FactValue:
        """Return a value of a fact's kind, as authors write it in defaults, bounds and cases."""
        match kind:
            case FactKind.STRING:
                return self.text(node, what)
            case FactKind.BOOLEAN:
                return self.boolean(node, what)
            case FactKind.INTEGER:
                return self.integer(node, what)
            case FactKind.DECIMAL | FactKind.MONEY:
                return self.decimal(node, what)
            case FactKind.DATE:
                return self.date(node, what)
            case FactKind.STRINGS:
                return self.list_of(node, what, self.text)

    def bound(self, node: Node, what: str, kind: FactKind) -> Decimal | date | None:
        """Return a bound of a fact: a number or a date."""
        if kind is FactKind.DATE:
            return self.date(node, what)
        read = self.integer if kind is FactKind.INTEGER else self.decimal
        value = read(node, what)
        return None if value is None else Decimal(value)


def polished(problem: Problem) -> Problem:
    """Return a problem of an expression with its advice in the manner of this reader."""
    advice = problem.advice[:1].lower() + problem.advice[1:]
    return replace(problem, advice=advice.removesuffix("."))


_ON_NUMBERS = re.compile(r"[\s\d.,<>=\[\]()-]*\d[\s\d.,<>=\[\]()-]*")


def _meant(problem: Problem, text: str) -> Problem:
    """Return a problem of a cell; one on numbers that is written in another way is told how to write it."""
    meant = meant_test(text)
    if problem.code != "feel-syntax" or meant == text or not _ON_NUMBERS.fullmatch(meant):
        return problem
    readable = parse_unary_tests(meant, problem.span).policy is not None
    return replace(problem, advice=proposal(text, meant)) if readable else problem


def _amount(problem: Problem, text: str) -> Problem:
    """Return a problem of an expression; an amount or a rate with its unit is told how to write it."""
    if problem.code != "feel-syntax":
        return problem
    return replace(problem, advice=advice_on(text, "a number", problem.advice))


def is_bare(node: ScalarNode) -> bool:
    """Tell whether a scalar says nothing: `{refer, reason: X}` has the key `refer` with no value."""
    return node.is_null or node.boolean is True
