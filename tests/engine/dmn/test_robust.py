"""Broken models and hostile ones: an answer or a problem, in bounded time, never a crash."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from engine.dmn import DmnLimits, evaluate_bkm, evaluate_decision, evaluate_service, load_model, to_xml
from engine.dmn.model import BusinessKnowledgeModel, Decision, DecisionService
from engine.dmn.out import NotInXml
from engine.feel.limits import Limits
from tests.engine.dmn.build import codes, decision, definitions, evaluated, item, literal, loaded
from tests.engine.dmn.kit_folder import OWN, files

SOURCES = sorted((path, data) for path, data in files(OWN).items() if path.endswith(".dmn"))
WORDS = (
    b"null", b"-", b"[", b"(", b"}", b'"', b"&lt;", b"&#0;", b"\xff", b"<", b"/>", b"true", b"number", b"?",
    b"tGrade", b"#plan", b"COLLECT", b"SUM", b"isCollection", b"typeRef", b"<list/>", b"<text/>", b"item",
    b"1e9999", b"xmlns", b"href", b"function(a) ", b"for i in ", b" ", b"\n",
)  # fmt: skip
SMALL = DmnLimits(feel=Limits(iterations=5_000, items=500))


@st.composite
def broken_models(draw: st.DrawFn) -> bytes:
    """Return one of our models with some pieces cut out, doubled, exchanged or written over."""
    _, data = draw(st.sampled_from(SOURCES))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        upto = min(len(data), at + draw(st.integers(0, 30)))
        piece = draw(st.sampled_from(WORDS) | st.binary(max_size=4) | st.just(data[at:upto] * 2))
        data = data[:at] + piece + data[upto:]
    return data


@st.composite
def broken_texts(draw: st.DrawFn) -> bytes:
    """Return one of our models that is still XML, with some words of its texts and attributes exchanged."""
    _, data = draw(st.sampled_from(SOURCES))
    words = data.split()
    for _ in range(draw(st.integers(1, 5))):
        one, other = draw(st.integers(0, len(words) - 1)), draw(st.integers(0, len(words) - 1))
        if b"<" not in words[one] + words[other]:
            words[one], words[other] = words[other], words[one]
    return b" ".join(words)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(broken_models() | broken_texts(), st.sampled_from([1, "x", None, [1], {"a": 1}, True]))
def test_a_broken_model_is_read_or_refused_and_decides_or_says_why(data: bytes, given_value: Any) -> None:
    loaded_model = load_model({"m.dmn": data}, "m.dmn", limits=SMALL)
    if (model := loaded_model.policy) is None:
        assert loaded_model.problems
        return
    inputs = {
        element.name: given_value
        for element in model.root.elements
        if "input" in type(element).__name__.lower()
    }
    for element in model.root.elements:
        known = model.graph.named(model.root, element.name)
        if known is None or known.element is not element:
            continue  # its name is empty, or another one has it
        if isinstance(element, Decision):
            evaluate_decision(model, element.name, inputs, limits=SMALL)
        elif isinstance(element, DecisionService):
            evaluate_service(model, element.name, inputs, limits=SMALL)
        elif isinstance(element, BusinessKnowledgeModel):
            evaluate_bkm(model, element.name, {"fee": given_value, "cap": given_value}, limits=SMALL)
    try:
        written = to_xml(model.root)
    except NotInXml:
        return
    assert load_model({"m.dmn": written}, "m.dmn", limits=SMALL).policy is not None


def nested(inner: str, times: int, tag: str = "list") -> str:
    return f"<{tag}>" * times + inner + f"</{tag}>" * times


@pytest.mark.parametrize(
    ("logic", "code"),
    [
        (nested(literal("1"), 70), "limit"),
        (literal("(" * 500 + "1" + ")" * 500), "feel-syntax"),
        (literal("[" * 50 + "]" * 50), None),
        (literal('"' + "x" * 60_000 + '"'), "feel-syntax"),
        (literal("for i in 1..100000000 return i"), "limit"),
        (literal("for i in 1..200 return if i = 1 then [1] else [partial[-1], partial[-1]]"), "limit"),
        (
            "<for iteratorVariable='i'>"
            f"<in>{literal('for i in 1..200 return i')}</in>"
            f"<return>{literal('if i = 1 then [1] else [partial[-1], partial[-1]]')}</return></for>",
            "limit",
        ),
        (
            "<for iteratorVariable='i'>"
            f"<in>{literal('for i in 1..5 return i')}</in><return>{literal('partial')}</return></for>",
            None,
        ),
    ],
)  # fmt: skip
def test_what_costs_too_much_is_named(logic: str, code: str | None) -> None:
    found = evaluated(logic)
    if code is None:
        assert "limit" not in codes(found.warnings)
    else:
        assert code in codes(found.warnings)
        assert found.value is None


def test_names_that_are_everywhere_cost_no_more_than_they_must() -> None:
    parts = [item(f"t {n} of many", "number") for n in range(300)]
    rows = [
        decision(f"d {n} of many", literal(f"d {n - 1} of many + 1"), needs=f"d {n - 1} of many")
        for n in range(1, 300)
    ]
    model, problems = loaded(*parts, decision("d 0 of many", literal("0")), *rows)
    assert problems == ()
    assert evaluate_decision(model, "d 299 of many", {}).value == 299


def test_a_model_without_anything() -> None:
    found = load_model({"m.dmn": definitions()}, "m.dmn")
    assert found.ok
