"""Random typed expressions and cells, by the grammar: what they are made of is what FEEL is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from engine.feel import BOOLEAN, DATE, NUMBER, STRING, FeelType, ListOf, Node, UnaryTests
from engine.feel import syntax as s

NAMES: dict[str, FeelType] = {
    "score": NUMBER, "monthly fee": NUMBER, "grade": STRING, "verified": BOOLEAN, "opened": DATE,
    "amounts": ListOf(NUMBER), "tags": ListOf(STRING),
}  # fmt: skip

numbers = st.decimals(min_value=-1000, max_value=1000, places=2, allow_nan=False) | st.sampled_from(
    [Decimal(0), Decimal(1), Decimal("1e30"), Decimal("-0.01"), Decimal("9" * 34)]
)
texts = st.sampled_from(["", "A", "B", "gold", "a\nb", 'say "x"', "🐎", "\\"])
dates = st.dates().map(lambda day: s.AtLiteral(day.isoformat()))
durations = st.sampled_from(["P1D", "-P30D", "PT1H30M", "P1Y2M", "-P1M"]).map(s.AtLiteral)


def _names(kind: FeelType) -> st.SearchStrategy[Node]:
    return st.sampled_from([s.Name(name) for name, own in NAMES.items() if own == kind])


def _call(name: str, *arguments: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    return st.tuples(*arguments).map(lambda given: s.Call(s.Name(name), given))


def _number(children: dict[str, Any]) -> st.SearchStrategy[Node]:
    n, xs, t = children["number"], children["numbers"], children["text"]
    return st.one_of(
        st.builds(s.Arithmetic, st.sampled_from(["+", "-", "*", "/", "**"]), n, n),
        st.builds(s.Negation, n),
        st.builds(s.If, children["truth"], n, n),
        _call("floor", n, st.integers(-3, 3).map(lambda i: s.Number(Decimal(i)))),
        _call("round half up", n),
        _call("abs", n),
        _call("modulo", n, n),
        _call("count", xs),
        _call("string length", t),
        st.sampled_from(["min", "max"]).flatmap(lambda f: _call(f, n, n)),
        st.sampled_from(["min", "max", "sum", "mean", "median", "stddev"]).flatmap(lambda f: _call(f, xs)),
        st.builds(s.Filter, xs, st.integers(-2, 2).map(lambda i: s.Number(Decimal(i)))),
    )


def _truth(children: dict[str, Any]) -> st.SearchStrategy[Node]:
    n, t, d, b = children["number"], children["text"], children["date"], children["truth"]
    signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    loops = st.tuples(st.builds(s.Iterator, st.just("x"), children["numbers"]))
    return st.one_of(
        *(st.builds(s.Comparison, signs, side, side) for side in (n, t, d)),
        st.builds(s.Comparison, st.sampled_from(["=", "!="]), n | t | b, st.just(s.Null())),
        *(st.builds(kind, st.lists(b, min_size=2, max_size=3).map(tuple)) for kind in (s.And, s.Or)),
        st.builds(s.Between, n, n, n),
        st.builds(s.In, n, st.lists(number_tests(n), min_size=1, max_size=2).map(tuple)),
        _call("not", b),
        _call("contains", t, t),
        st.builds(s.InstanceOf, n, st.sampled_from([NUMBER, STRING, ListOf(NUMBER)])),
        st.builds(s.Quantified, st.sampled_from(["some", "every"]), loops, b),
    )


def _text(children: dict[str, Any]) -> st.SearchStrategy[Node]:
    n, t = children["number"], children["text"]
    return st.one_of(
        st.builds(s.Arithmetic, st.just("+"), t, t),
        st.builds(s.If, children["truth"], t, t),
        _call("upper case", t),
        _call("string", n | t),
        _call("substring", t, st.integers(-2, 3).map(lambda i: s.Number(Decimal(i)))),
    )


def _date(children: dict[str, Any]) -> st.SearchStrategy[Node]:
    return st.builds(s.Arithmetic, st.sampled_from(["+", "-"]), children["date"], durations)


def _numbers(children: dict[str, Any]) -> st.SearchStrategy[Node]:
    n, xs, b = children["number"], children["numbers"], children["truth"]
    loop = st.tuples(st.builds(s.Iterator, st.just("x"), xs))
    return st.one_of(
        st.lists(n, max_size=3).map(lambda items: s.ListLiteral(tuple(items))),
        st.builds(s.Filter, xs, b),
        st.builds(s.For, loop, n),
        _call("append", xs, n),
        _call("sort", xs),
        _call("distinct values", xs),
    )


def number_tests(bound: st.SearchStrategy[Node]) -> st.SearchStrategy[Node]:
    signs = st.sampled_from(["=", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.builds(s.UnaryComparison, signs, bound),
        st.builds(s.RangeLiteral, bound, bound, st.booleans(), st.booleans()),
        bound,
    )


_leaves: dict[str, st.SearchStrategy[Node]] = {
    "number": st.builds(s.Number, numbers) | _names(NUMBER),
    "truth": st.builds(s.Boolean, st.booleans()) | _names(BOOLEAN),
    "text": st.builds(s.String, texts) | _names(STRING),
    "date": dates | _names(DATE),
    "numbers": _names(ListOf(NUMBER)),
}
_makers = {"number": _number, "truth": _truth, "text": _text, "date": _date, "numbers": _numbers}


def _levels(depth: int) -> dict[str, Any]:
    if depth == 0:
        return dict(_leaves)
    below = _levels(depth - 1)
    return {kind: _leaves[kind] | make(below) for kind, make in _makers.items()}


_all = _levels(3)
expressions: st.SearchStrategy[Node] = st.one_of(*_all.values())


def _cells(kind: str) -> st.SearchStrategy[UnaryTests]:
    bound = _levels(1)[kind]
    about = st.builds(s.Comparison, st.sampled_from(["=", "<", ">="]), st.just(s.Name("?")), bound)
    test = number_tests(bound) | about | st.just(s.Null())
    return st.builds(UnaryTests, st.lists(test, max_size=3).map(tuple), st.booleans()).map(
        lambda cell: UnaryTests(cell.tests, cell.negated and bool(cell.tests))
    )


number_cells = _cells("number")
text_cells = _cells("text")
date_cells = _cells("date")

scopes: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {
        "score": st.none() | numbers,
        "monthly fee": numbers,
        "grade": st.none() | texts,
        "verified": st.none() | st.booleans(),
        "opened": st.none() | st.dates(),
        "amounts": st.lists(numbers, max_size=3),
        "tags": st.lists(texts, max_size=3),
    }
)
