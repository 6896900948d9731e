import pytest

from engine.dmn import evaluate_decision, facts_from_json, load_model, value_as_json
from engine.feel import show
from tests.engine.dmn.build import (
    codes,
    component,
    decision,
    evaluated,
    input_data,
    item,
    literal,
    loaded,
    value,
)

PERSON = component("name", "string") + component("age", "number", allowed="[0..150]")
ITEMS = (
    item("tGrade", "string", allowed='"A", "B"'),
    item("tGrades", "tGrade", many=True),
    item("tSmall", "number", allowed="< 10"),
    item("tTiny", "tSmall", allowed="< 3"),
    item("tNumbers", "number", many=True),
    item("tMatrix", "tNumbers", many=True),
    item("tPerson", inside=PERSON),
    item("tPeople", inside=PERSON, many=True),
    item("tFamily", inside=component("head", "tPerson") + component("others", "tPerson", many=True)),
    item("tShort", "number", many=True).replace(
        "<typeRef>number</typeRef>",
        "<typeRef>number</typeRef><typeConstraint><text>count(?) &lt; 3</text></typeConstraint>",
    ),
    item("tSpan", inside=component("low", "number") + component("high", "number", allowed="> low")),
    item("tTree", inside=component("leaf", "number") + component("below", "tTree", many=True)),
    item("t.dotted name", "string"),
    "<itemDefinition name='tF'><functionItem outputTypeRef='number'>"
    "<parameters name='a' typeRef='number'/></functionItem></itemDefinition>",
)


@pytest.mark.parametrize(
    ("type_ref", "text", "result"),
    [
        # the standard's own (10.3.2.9.4, table 45)
        ("number", '"123"', "null"),
        ("number", "[1]", "1"),
        ("number", "[[1]]", "null"),
        ("number", "[1, 2]", "null"),
        ("tNumbers", "1", "[1]"),
        ("tNumbers", '"1"', "null"),
        ("tNumbers", '[1, "2"]', "null"),
        ("tNumbers", "[1, null]", "[1, null]"),
        ("tMatrix", "[[1], [2, 3]]", "[[1], [2, 3]]"),
        ("tMatrix", "[1]", "[[1]]"),
        ("date and time", 'date("2026-01-31")', '@"2026-01-31T00:00:00Z"'),
        ("date and time", '[date("2026-01-31")]', '@"2026-01-31T00:00:00Z"'),
        ("date", 'date and time("2026-01-31T00:00:00Z")', "null"),
        ("Any", '"x"', '"x"'),
        ("number", "null", "null"),
        ("list<number>", "[1]", "[1]"),
        # allowed values hold for each item of a collection, a constraint for the collection
        ("tGrade", '"A"', '"A"'),
        ("tGrade", '"C"', "null"),
        ("tGrades", '["A", "B"]', '["A", "B"]'),
        ("tGrades", '["A", "C"]', "null"),
        ("tGrades", '"A"', '["A"]'),
        ("tTiny", "2", "2"),
        ("tTiny", "5", "null"),
        ("tTiny", "15", "null"),
        ("tShort", "[1, 2]", "[1, 2]"),
        ("tShort", "[1, 2, 3]", "null"),
        # records may have more than is asked, never less; null stands for anything
        ("tPerson", '{name: "Jo", age: 5}', '{name: "Jo", age: 5}'),
        ("tPerson", '{name: "Jo", age: 5, x: 1}', '{name: "Jo", age: 5, x: 1}'),
        ("tPerson", '{name: "Jo"}', "null"),
        ("tPerson", '{name: "Jo", age: null}', '{name: "Jo", age: null}'),
        ("tPerson", '{name: "Jo", age: 200}', "null"),
        ("tPerson", '[{name: "Jo", age: 5}]', '{name: "Jo", age: 5}'),
        ("tPeople", '{name: "Jo", age: 5}', '[{name: "Jo", age: 5}]'),
        ("tFamily", '{head: {name: "Jo", age: 5}, others: []}', '{head: {name: "Jo", age: 5}, others: []}'),
        ("tFamily", '{head: {name: "Jo"}, others: []}', "null"),
        ("tSpan", "{low: 1, high: 2}", "{low: 1, high: 2}"),
        ("tSpan", "{low: 3, high: 2}", "null"),
        ("tTree", "{leaf: 1, below: [{leaf: 2, below: []}]}", "{leaf: 1, below: [{leaf: 2, below: []}]}"),
        ("tTree", '{leaf: 1, below: [{leaf: "2", below: []}]}', "null"),
        ("t.dotted name", '"x"', '"x"'),
        ("tF", "function(a) a", "function"),
        ("tF", "function(a, b) a", "null"),
        ("tF", "abs", "function"),
    ],
)
def test_a_decision_is_of_the_type_of_its_variable(type_ref: str, text: str, result: str) -> None:
    found = evaluated(literal(text), *ITEMS, type_ref=type_ref)
    assert show(found.value) == result
    assert codes(found.warnings) == ([] if found.value is not None or text == "null" else ["not-conforming"])


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ('{name: "Jo", age: 5} instance of tPerson', "true"),
        ('{name: "Jo"} instance of tPerson', "false"),
        ("[1] instance of tNumbers", "true"),
        ('"C" instance of tGrade', "true"),  # the values that are allowed are no matter of the type
        ('[{name: "Jo", age: 5}] instance of list<tPerson>', "true"),
        ('(function(p: tPerson) p.age)({name: "Jo", age: 5})', "5"),
        ('(function(p: tPerson) p.age)({name: "Jo"})', "null"),
    ],
)
def test_expressions_know_the_types_of_the_model(text: str, result: str) -> None:
    assert show(value(literal(text), *ITEMS)) == result


def test_a_literal_has_to_be_of_its_own_type_too() -> None:
    assert value(literal('"x"', "number")) is None
    assert show(value(literal("1", "tNumbers"), *ITEMS)) == "[1]"


@pytest.mark.parametrize(
    ("given", "result", "code"),
    [
        ({"p": {"name": "Jo", "age": 5}}, "5", None),
        ({"p": [{"name": "Jo", "age": 5}]}, "5", None),
        ({"p": {"name": "Jo", "age": 151}}, "null", "not-conforming"),
        ({"p": "Jo"}, "null", "not-conforming"),
        ({}, "null", "missing-input"),
        ({"p": None}, "null", "null-operand"),
        ({"q": 1, "p": {"name": "Jo", "age": 5}}, "5", "unknown-input"),
    ],
)
def test_inputs_are_checked(given: dict[str, object], result: str, code: str | None) -> None:
    found = evaluated(literal("p.age"), *ITEMS, input_data("p", "tPerson"), inputs=given, needs="?p")
    assert show(found.value) == result
    assert codes(found.warnings)[:1] == ([code] if code else [])


def test_an_unknown_type_is_named_once_with_the_nearest() -> None:
    _, problems = loaded(*ITEMS, decision("a", literal("1"), type_ref="tGrad"), input_data("i", "tGrad"))
    assert codes(problems) == ["unknown-type"]
    assert "did you mean `tGrade`?" in problems[0].advice


def test_a_type_that_is_defined_by_itself_is_refused() -> None:
    _, problems = loaded(item("a", "b"), item("b", "c"), item("c", "a"))
    assert codes(problems) == ["cyclic-type"]


@pytest.mark.parametrize(
    ("declared", "given", "result"),
    [
        ("feel:number", 1, "1"),
        ("feel:dateTime", "2026-01-31T10:00:00", '@"2026-01-31T10:00:00"'),
        ("my:tGrade", "A", '"A"'),
        ("dayTimeDuration", "P1D", '@"P1D"'),
    ],
)
def test_prefixed_and_older_names_of_types(declared: str, given: object, result: str) -> None:
    text = (
        '<definitions xmlns="http://www.omg.org/spec/DMN/20151101/dmn.xsd" name="old" namespace="urn:old" '
        'xmlns:feel="http://www.omg.org/spec/FEEL/20140401" xmlns:my="urn:old">'
        f"{ITEMS[0]}{input_data('i', declared)}"
        f"{decision('it', literal('i'), needs='?i')}</definitions>"
    )

    found = load_model({"old.dmn": text.encode()}, "old.dmn")
    assert found.ok
    assert found.policy is not None
    inputs = facts_from_json(found.policy, {"i": given})
    assert show(evaluate_decision(found.policy, "it", inputs).value) == result


def test_facts_from_json_are_read_by_type_and_values_written_exactly() -> None:
    inside = component("day", "date") + component("spans", "days and time duration", many=True)
    model, _ = loaded(
        item("tFacts", inside=inside), input_data("f", "tFacts"), input_data("at", "time"),
        input_data("s", "string"),
        decision("it", literal("{day: f.day, spans: f.spans, at: at, s: s, n: 0.10, none: [], e: {}}"),
                 needs="?f,?at,?s"),
    )  # fmt: skip
    facts = {"f": {"day": "2026-01-31", "spans": ["PT1H"]}, "at": "10:00:00", "s": "2026-01-31"}
    found = evaluate_decision(model, "it", facts_from_json(model, facts))
    assert codes(found.warnings) == []
    assert value_as_json(found.value) == (
        '{\n  "day": "2026-01-31",\n  "spans": [\n    "PT1H"\n  ],\n  "at": "10:00:00",\n'
        '  "s": "2026-01-31",\n  "n": 0.1,\n  "none": [],\n  "e": {}\n}'
    )


def test_a_long_chain_of_types_ends_with_a_problem() -> None:
    chain = [item(f"t{n}", f"t{n + 1}") for n in range(1000)]
    model, problems = loaded(*chain, item("t1000", "number"), decision("it", literal('"x"'), type_ref="t0"))
    assert set(codes(problems)) == {"type-limit"}
    assert evaluate_decision(model, "it", {}).value == "x"
