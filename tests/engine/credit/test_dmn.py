"""Credit policies to DMN models and back: the same tables, the same results on any facts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.credit import CreditError, CreditPolicy, Fact, decide, load_credit
from engine.credit.from_dmn import from_dmn
from engine.credit.model import FactDefinition, FactKind
from engine.credit.thresholds import thresholds
from engine.credit.to_dmn import to_dmn
from engine.credit.values import plain_value
from engine.dmn import evaluate_decision, load_model
from engine.feel import syntax as s
from engine.feel.values import to_feel
from engine.tables import find_tables, rows_of
from tests.engine.credit.samples import DAY, policy_of

POLICIES = Path(__file__).parents[3] / "policies"
NAMES = ("consumer-credit", "sme-credit", "key-account-credit", "uci-card-credit")
SHIPPED: dict[str, CreditPolicy] = {}
for _name in NAMES:
    _policy = load_credit({"policy.yaml": (POLICIES / _name / "policy.yaml").read_bytes()}).policy
    assert _policy is not None
    SHIPPED[_name] = _policy


def model_of(policy: CreditPolicy) -> bytes:
    found = to_dmn(policy)
    assert found.policy is not None, found.problems
    return found.policy


def back(data: bytes, currency: str | None = None) -> CreditPolicy:
    text = from_dmn(data, "m.dmn", currency=currency, effective_from=date(2026, 1, 1))
    assert text.policy is not None, text.problems
    loaded = load_credit({"policy.yaml": text.policy})
    assert loaded.policy is not None, (loaded.problems, text.policy.decode())
    return loaded.policy


BACK = {name: back(model_of(policy)) for name, policy in SHIPPED.items()}
MODELS = {name: load_model({"m": model_of(policy)}, "m").policy for name, policy in SHIPPED.items()}


def values_of(policy: CreditPolicy, fact: FactDefinition) -> st.SearchStrategy[Any]:
    """Values of a fact, most of them at the bounds of the tables."""
    if fact.kind is FactKind.BOOLEAN:
        return st.booleans()
    if fact.kind is FactKind.STRING:
        return st.sampled_from(fact.one_of)
    near = [t.moved(n) for t in thresholds(policy) if t.heading.node == s.Name(fact.name) for n in (-1, 0, 1)]
    low = Decimal(0) if fact.minimum is None else Decimal(str(fact.minimum))
    high = Decimal(2000) if fact.maximum is None else Decimal(str(fact.maximum))
    usable = [p for p in near if isinstance(p, Decimal) and low <= p <= high] or [low]
    number = st.one_of(
        st.sampled_from(usable), st.decimals(low, high, places=0 if fact.kind is FactKind.INTEGER else 2)
    )
    return number.map(int) if fact.kind is FactKind.INTEGER else number


def facts_of(policy: CreditPolicy) -> st.SearchStrategy[Mapping[str, Fact]]:
    given_values = {name: values_of(policy, fact) for name, fact in policy.facts.items()}
    as_facts = st.fixed_dictionaries(given_values)
    return as_facts.map(
        lambda found: {n: Fact(value=v, as_of=DAY, verified_by="x") for n, v in found.items()}
    )


ANY_FACTS = {name: facts_of(policy) for name, policy in SHIPPED.items()}


@pytest.mark.parametrize("name", NAMES)
def test_the_tables_come_back_as_they_were(name: str) -> None:
    policy, again = SHIPPED[name], BACK[name]
    assert list(again.facts) == list(policy.facts)
    assert list(again.decisions) == list(policy.decisions)
    twice = back(model_of(again))
    assert list(twice.decisions) == list(again.decisions)
    texts = [from_dmn(model_of(p), "m", currency="CNY", effective_from=DAY).policy for p in (again, twice)]
    assert texts[0] == texts[1]
    tables = [find_tables({"p": text or b""}, "p").policy for text in texts]
    assert [list(rows_of(t.table)) for t in tables[0] or ()] == [
        list(rows_of(t.table)) for t in tables[1] or ()
    ]


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(st.data())
def test_the_model_and_the_policy_that_comes_back_decide_alike(name: str, data: st.DataObject) -> None:
    policy, again, model = SHIPPED[name], BACK[name], MODELS[name]
    assert model is not None
    facts = data.draw(ANY_FACTS[name])
    try:
        first = decide(policy, facts, DAY)
    except CreditError:
        return
    traced = {t.decision: t.value for t in first.trace if t.kind != "fact"}
    if not traced:
        return
    second = {t.decision: t.value for t in decide(again, facts, DAY).trace}
    inputs = {n: to_feel(fact.value) for n, fact in facts.items()}
    for decision, value in traced.items():
        assert second[decision] == value, decision
    for decision in {item.name for item in policy.outcome} & set(traced):
        value = traced[decision]
        found = evaluate_decision(model, decision, inputs, at=None)
        assert plain_value(found.value) == value, decision


CAMUNDA = (Path(__file__).parent / "dinner.dmn").read_bytes()


@pytest.mark.parametrize(
    ("temperature", "guests", "dish"), [("20", 4, "Salad"), ("10", 4, "Roastbeef"), ("10", 9, "Stew")]
)
def test_a_model_as_camunda_writes_it(temperature: str, guests: int, dish: str) -> None:
    policy = back(CAMUNDA, "EUR")
    assert {name: str(fact.kind) for name, fact in policy.facts.items()} == {
        "guestCount": "integer", "temperature": "decimal",
    }  # fmt: skip
    facts = {"guestCount": Fact(value=guests, as_of=DAY), "temperature": Fact(value=temperature, as_of=DAY)}
    assert decide(policy, facts, DAY).outcome == {"Dish": dish}


SCORE = b'name="score" typeRef="number"'
SEGMENTS = (Path(__file__).parent / "segments.dmn").read_bytes()
"""As Camunda's modeler writes a model: input data without types, lists of values, annotations, a diagram."""


def test_inputs_without_a_type_get_that_of_the_columns_which_test_them() -> None:
    policy = back(SEGMENTS, "EUR")
    assert {name: (str(fact.kind), fact.one_of) for name, fact in policy.facts.items()} == {
        "segment": ("string", ("consumer", "sme", "key")), "months": ("decimal", ()),
    }  # fmt: skip
    facts = {"segment": Fact(value="sme", as_of=DAY), "months": Fact(value=14, as_of=DAY)}
    assert decide(policy, facts, DAY).outcome == {"Decision_grade": {"grade": "B", "limit": Decimal(1000)}}


def test_what_is_said_of_a_rule_stays_above_its_row() -> None:
    text = from_dmn(SEGMENTS, "m.dmn", currency="EUR", effective_from=DAY).policy
    assert text is not None
    lines = [line.strip() for line in text.decode().splitlines()]
    assert lines[lines.index("# Key accounts are looked at by hand") + 1].startswith('| -     | "key"')


@pytest.mark.parametrize(
    ("old", "new", "facts"),
    [
        (b'typeRef="number"><text>months', b"><text>months", {"months": "decimal"}),  # seen in the cells
        (b'typeRef="string"><text>segment', b"><text>segment", {"segment": "string"}),
        (b'typeRef="number"><text>months', b'typeRef="long"><text>months', {"months": "integer"}),
        (
            b'name="months" />', b'name="months"><variable name="months" typeRef="integer"/></inputData>',
            {"months": "integer"},
        ),
        (b"<text>segment<", b"<text>lower case(segment)<", {}),
    ],
)  # fmt: skip
def test_the_type_of_an_input(old: bytes, new: bytes, facts: dict[str, str]) -> None:
    assert old in SEGMENTS
    found = from_dmn(SEGMENTS.replace(old, new), "m.dmn", currency="EUR", effective_from=DAY)
    if not facts:
        assert {p.message for p in found.problems} == {
            "a policy cannot carry the input `segment` of type `unknown`",
            "a policy cannot carry the list of values of column `lower case(segment)`",
        }
        return
    policy = back(SEGMENTS.replace(old, new), "EUR")
    assert {name: str(policy.facts[name].kind) for name in facts} == facts


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'"consumer","sme","key"', b'"consumer","sme","key","a b"', ("consumer", "sme", "key", "a b")),
        (b'"consumer","sme","key"', b'not("x")', 'the list of values `not("x")` of the input `segment`'),
        (b'<text>"A","B","C"<', b'<text>"A","B"<', "the list of values of output `grade`"),
        (SCORE + b" /", SCORE + b"><outputValues><text>[0..40]</text></outputValues></output", None),
        (SCORE + b" /", SCORE + b"><outputValues><text>[0..39]</text></outputValues></output",
         "the list of values of output `score`"),
    ],
)  # fmt: skip
def test_lists_of_values_are_said_of_the_fact_or_hold_without_being_said(
    old: bytes, new: bytes, said: tuple[str, ...] | str | None
) -> None:
    assert old in SEGMENTS
    text = SEGMENTS.replace(old, new)
    found = from_dmn(text, "m.dmn", currency="EUR", effective_from=DAY)
    if isinstance(said, str):
        assert [p.message for p in found.problems] == [f"a policy cannot carry {said}"]
    else:
        assert back(text, "EUR").facts["segment"].one_of == (said or ("consumer", "sme", "key"))


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b'hitPolicy="FIRST"', b'hitPolicy="PRIORITY"', "the hit policy PRIORITY of `season`"),
        (b'typeRef="double"', b'typeRef="tThing"', "the input `temperature` of type `tThing`"),
        (b'name="Dinner"', b'name="Dinner" expressionLanguage="juel"', "the language `juel`"),
        (b'id="Dish" name="Dish decision"', b'id="a b" name="c d"', "the name `c d`"),
        (b'name="desiredDish"', b'name="a dish"', "the output `a dish` of `Dish`"),
        (b'"Stew"', b'"Ste', "the cell"),
        (
            b"</definitions>",
            b'<decision id="X" name="X"/></definitions>',
            "the decision `X`, which has no logic",
        ),
        (
            b"</definitions>",
            b'<businessKnowledgeModel name="B"><variable name="B"/></businessKnowledgeModel></definitions>',
            "`B`, a business knowledge model",
        ),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(old: bytes, new: bytes, what: str) -> None:
    assert old in CAMUNDA
    text = CAMUNDA.replace(old, new)
    found = from_dmn(text, "m.dmn", currency="EUR", effective_from=DAY)
    assert found.policy is None
    assert any(what in problem.message for problem in found.problems), found.problems
    assert {problem.code for problem in found.problems} <= {"dmn-not-carried", "feel-syntax"}
    assert {problem.code for problem in found.problems} <= {"dmn-not-carried", "feel-syntax"}


@pytest.mark.parametrize("name", NAMES)
def test_a_model_for_modelers_is_the_same_in_dmn_1_3_with_ids_and_a_diagram(name: str) -> None:
    found = to_dmn(SHIPPED[name], for_modelers=True).policy
    assert found is not None
    root = ElementTree.fromstring(found)  # our own text
    space = "{https://www.omg.org/spec/DMN/20191111/MODEL/}"
    ids = [part.get("id") for part in root.iter() if part.get("id")]
    assert len(ids) == len(set(ids))
    parts = ("decisionTable", "input", "output", "rule", "inputEntry", "outputEntry", "decision")
    assert [p for p in root.iter() if p.tag.removeprefix(space) in parts and not p.get("id")] == []
    drawn = {part.get("dmnElementRef") for part in root.iter() if part.get("dmnElementRef")}
    asked = {
        p.get("id") for n in ("decision", "inputData", "informationRequirement") for p in root.iter(space + n)
    }
    assert drawn == asked
    corners = [tuple(part.attrib.items()) for part in root.iter() if part.tag.endswith("Bounds")]
    assert len(corners) == len(set(corners))  # nothing is drawn over something else
    for key in ("facts", "decisions"):
        assert list(getattr(back(found), key)) == list(getattr(SHIPPED[name], key))
    one, other = (from_dmn(data, "m", currency="CNY").policy for data in (found, model_of(SHIPPED[name])))
    assert one == other


def test_what_a_model_has_no_place_for_is_named_and_kept_aside() -> None:
    problems = to_dmn(SHIPPED["consumer-credit"]).problems
    assert {problem.code for problem in problems} == {"dmn-kept-aside"}
    told = [problem.message for problem in problems]
    assert "the reasons of scorecard `score` go by points lost: no other tool does" in told
    assert "what fact `avg_monthly_bill` says with max_age, when_missing is not in DMN" in told
    assert "what fact `prior_write_off` says with changeable is not in DMN" in told
    assert "the texts of the reasons are not in DMN" in told
    assert "the promises are not in DMN" in told
    assert "that outcome `credit_limit` is money is not in DMN" in told


@pytest.mark.parametrize("name", NAMES)
def test_what_dmn_has_no_place_for_comes_back(name: str) -> None:
    policy = SHIPPED[name]
    text = from_dmn(model_of(policy), "m.dmn")
    assert text.policy is not None, text.problems
    again = load_credit({"policy.yaml": text.policy}).policy
    assert again is not None, text.policy.decode()
    for key in ("name", "title", "version", "effective_from", "effective_to", "currency"):
        assert getattr(again, key) == getattr(policy, key), key
    assert {n: plain(f) for n, f in again.facts.items()} == {n: plain(f) for n, f in policy.facts.items()}
    assert {c: r.text for c, r in again.reasons.items()} == {c: r.text for c, r in policy.reasons.items()}
    assert [p.text for p in again.promises] == [p.text for p in policy.promises]
    assert [(i.name, i.expression.node, i.money) for i in again.outcome] == [
        (i.name, i.expression.node, i.money) for i in policy.outcome
    ]
    for one, other in ((again.told, policy.told), (again.status, policy.status)):
        assert (one and one.node) == (other and other.node)
    for one_, other_ in ((again.when_no_row, policy.when_no_row), (again.when_failed, policy.when_failed)):
        assert (one_ and (one_.action, one_.reason)) == (other_ and (other_.action, other_.reason))


def plain(fact: FactDefinition) -> list[object]:
    """A fact without its places."""
    answers = (fact.when_missing, fact.when_old, fact.when_unverified)
    said = [answer and (answer.action, answer.reason, answer.default) for answer in answers]
    return [
        fact.kind, fact.one_of, fact.minimum, fact.maximum, fact.optional, fact.max_age, fact.verified,
        fact.changeable, fact.label, *said,
    ]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_whole_decisions_with_reasons_come_back(name: str, data: st.DataObject) -> None:
    facts = data.draw(ANY_FACTS[name])
    try:
        first = decide(SHIPPED[name], facts, DAY, trace=False)
    except CreditError:
        return
    second = decide(BACK[name], facts, DAY, trace=False)
    assert (first.status, first.outcome) == (second.status, second.outcome)
    assert [r.code for r in first.reasons] == [r.code for r in second.reasons]


def test_a_row_that_another_tool_changes_is_all_that_changes() -> None:
    model = model_of(SHIPPED["consumer-credit"])
    old = b"<text>&gt;= 560</text>"
    assert model.count(old) == 1
    texts = [from_dmn(m, "m").policy or b"" for m in (model, model.replace(old, b"<text>&gt;= 570</text>"))]
    lines = [text.decode().splitlines() for text in texts]
    differing = [pair for pair in zip(*lines, strict=True) if pair[0] != pair[1]]
    assert len(differing) == 1
    assert ">= 570" in differing[0][1]


def test_an_extension_of_somebody_else_or_one_that_is_damaged_is_no_harm() -> None:
    model = model_of(SHIPPED["key-account-credit"])
    start = model.index(b"{", model.index(b"urn:forbear:policy:1"))
    end = model.index(b"</policy>")
    for text in (b"", b"{}", b"[[[", b'{"head": 1}', b'{"head": {"version": "1"}}'):
        found = from_dmn(model[:start] + text + model[end:], "m.dmn", currency="CNY", effective_from=DAY)
        assert found.policy is not None, found.problems
        assert load_credit({"policy.yaml": found.policy}).policy is not None
    without = from_dmn(model[:start] + model[end:], "m.dmn", effective_from=DAY)
    assert [problem.code for problem in without.problems] == ["dmn-currency"]


def test_otherwise_is_the_default_output() -> None:
    policy = policy_of(
        """
facts: {n: {type: integer}}
decisions:
  t:
    hit: FIRST
    table: |
      | n   || a  | b    |
      | > 3 || it's | 1  |
    otherwise: {a: none, b: 0}
outcome: {t: t}
""".replace("it's", "x")
    )
    again = back(model_of(policy))
    for n in (1, 5):
        facts = {"n": Fact(value=n, as_of=DAY)}
        assert decide(again, facts, DAY).outcome == decide(policy, facts, DAY).outcome


def test_a_model_without_a_decision_is_no_policy() -> None:
    empty = (
        b"""<definitions xmlns="https://www.omg.org/spec/DMN/20230324/MODEL/" name="m" namespace="urn:m"/>"""
    )
    found = from_dmn(empty, "m.dmn", currency="CNY", effective_from=DAY)
    assert [problem.code for problem in found.problems] == ["dmn-empty"]


def bare(part: object) -> object:
    """A part of a policy without its places and without how its expressions were spelt."""
    if isinstance(part, s.Node | s.UnaryTests):
        return part
    if isinstance(part, Mapping):
        return {key: bare(value) for key, value in part.items()}
    if isinstance(part, tuple | list):
        return [bare(one) for one in part]
    if is_dataclass(part):
        kept = (f.name for f in fields(part) if not f.name.endswith(PLACES) and f.name not in UNSPELT)
        return {name: bare(getattr(part, name)) for name in kept}
    return part


PLACES = ("span", "lines", "offset")
UNSPELT = {"text", "digest", "manifest", "number", "reads", "kinds"}


@pytest.mark.parametrize("modelers", [False, True], ids=["dmn-1.5", "for-modelers"])
@pytest.mark.parametrize("name", NAMES)
def test_a_policy_that_went_out_comes_back_as_itself(name: str, modelers: bool) -> None:
    texts = {"policy.yaml": (POLICIES / name / "policy.yaml").read_bytes()}
    model = to_dmn(SHIPPED[name], for_modelers=modelers, texts=texts).policy
    assert model is not None
    found = from_dmn(model, "m.dmn")
    assert found.problems == ()
    assert found.policy is not None
    again = load_credit({"policy.yaml": found.policy})
    assert again.policy is not None
    assert bare(again.policy) == bare(SHIPPED[name])
    twice = to_dmn(again.policy, for_modelers=modelers, texts={"policy.yaml": found.policy}).policy
    assert twice == model  # notes too


NOTED = """policy: noted
kind: credit
version: "7"
title: {zh: 只有中文}
effective: {from: 2025-03-01, to: 2027-12-31}
currency: EUR
facts:
  years: {type: integer, min: 0}
decisions:
  # Who stays longer
  # is worth more.
  grade:
    hit: FIRST
    table: |
      | years || grade |
      # Agreed with sales on 3 May.
      | >= 5  || A     |
      # All others; see the minutes.
      # Nobody is refused.
      | -     || B     |
  points:
    scorecard:
      base: 10
      table: |
        | characteristic | bin  || points |
        # The first years count less.
        | years          | < 3  || 1      |
        | years          | >= 3 || 5      |
outcome: {grade: grade, points: points}
"""


def test_notes_at_rows_and_the_head_come_back() -> None:
    texts = {"policy.yaml": NOTED.encode()}
    policy = load_credit(texts).policy
    assert policy is not None
    model = to_dmn(policy, texts=texts).policy
    assert model is not None
    assert b"<description>Agreed with sales on 3 May.</description>" in model
    found = from_dmn(model, "m.dmn").policy
    assert found is not None
    text = found.decode()
    comments = [line.strip() for line in NOTED.splitlines() if line.strip().startswith("#")]
    assert [line.strip() for line in text.splitlines()[1:] if line.strip().startswith("#")] == comments
    assert text.index("# Nobody is refused.") < text.index('|| "B"') < text.index("# The first years")
    again = load_credit({"policy.yaml": found}).policy
    assert again is not None
    for key in ("name", "title", "version", "effective_from", "effective_to", "currency"):
        assert getattr(again, key) == getattr(policy, key), key


def test_an_input_that_nothing_reads_and_no_fact_can_be_is_left_out_with_a_note() -> None:
    variable = b'<variable name="Account Manager" typeRef="string"/>'
    unread = b'<inputData id="u" name="Account Manager">' + variable + b"</inputData>"
    data = CAMUNDA.replace(b"</definitions>", unread + b"</definitions>")
    found = from_dmn(data, "m.dmn", currency="EUR", effective_from=DAY)
    assert found.policy is not None, found.problems
    (note,) = found.problems
    assert note.code == "dmn-left-out"
    assert note.message == "the input `Account Manager` is read by no decision, and is left out"
    assert found.policy == from_dmn(CAMUNDA, "m.dmn", currency="EUR", effective_from=DAY).policy


def test_an_input_with_a_blank_that_is_read_is_still_refused() -> None:
    read = b'<inputData id="u" name="guest count"><variable name="guest count" typeRef="number"/></inputData>'
    data = CAMUNDA.replace(b"guestCount", b"guest count").replace(b"</definitions>", read + b"</definitions>")
    found = from_dmn(data, "m.dmn", currency="EUR", effective_from=DAY)
    assert found.policy is None
    assert "a policy cannot carry the input `guest count`" in [p.message for p in found.problems]


@pytest.mark.parametrize(
    ("word", "value", "read"),
    [
        ("double", "2.50", Decimal("2.50")), ("long", "3", Decimal(3)), ("integer", "3", Decimal(3)),
        ("number", "3", Decimal(3)), ("string", "x", "x"), ("boolean", "true", True),
    ],
)  # fmt: skip
def test_types_as_camunda_names_them_are_known_to_the_evaluation(word: str, value: str, read: object) -> None:
    data = f"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="d" name="d"
      namespace="n">
      <inputData id="i" name="x"><variable name="x" typeRef="{word}"/></inputData>
      <decision id="e" name="same"><variable name="same" typeRef="{word}"/>
        <informationRequirement><requiredInput href="#i"/></informationRequirement>
        <literalExpression><text>x</text></literalExpression></decision></definitions>"""
    loaded = load_model({"m": data.encode()}, "m")
    assert loaded.policy is not None
    assert loaded.problems == ()
    given = read if not isinstance(read, Decimal) else Decimal(value)
    found = evaluate_decision(loaded.policy, "same", {"x": given}, at=None)
    assert (found.value, found.warnings) == (read, ())
