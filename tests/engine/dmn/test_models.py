from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from engine.dmn import (
    DmnLimits,
    NotInModel,
    evaluate_bkm,
    evaluate_decision,
    evaluate_service,
    load_model,
)
from engine.dmn.evaluation import InputTooDeep
from engine.feel import NotAFeelValue, show
from engine.feel.limits import Limits
from engine.source import Severity
from tests.engine.dmn.build import (
    bkm,
    codes,
    decision,
    definitions,
    evaluated,
    input_data,
    item,
    literal,
    loaded,
    value,
)

SERVICE = (
    '<decisionService id="s" name="s"><variable name="s"{kind}/><outputDecision href="#out"/>'
    '<encapsulatedDecision href="#mid"/><inputDecision href="#given"/><inputData href="#i"/>'
    "</decisionService>"
)
PARTS = (
    input_data("i", "number"),
    decision("given", literal("1000")),
    decision("mid", literal("given + i"), needs="given,?i"),
    decision("out", literal("mid * 2"), needs="mid"),
)


def service(kind: str = "") -> str:
    return SERVICE.format(kind=f' typeRef="{kind}"' if kind else "")


# --- requirements ---------------------------------------------------------------------------------


def test_a_decision_sees_only_what_it_requires() -> None:
    parts = (decision("a", literal("1")), decision("b", literal("a + 1"), needs="a"))
    assert show(value(literal("b"), *parts, needs="b")) == "2"
    found = evaluated(literal("a"), *parts, needs="b")
    assert (found.value, codes(found.warnings)) == (None, ["unknown-name"])


def test_a_decision_that_is_given_is_not_made() -> None:
    assert show(value(literal("out"), *PARTS, inputs={"mid": 7}, needs="out")) == "14"


def test_names_with_blanks_and_signs() -> None:
    parts = (input_data("Monthly Fee"), input_data("pre-bureau score"), input_data("a.b"))
    inputs = {"Monthly Fee": 3, "pre-bureau score": 5, "a.b": 7}
    found = value(literal("Monthly Fee + pre-bureau score-a.b"), *parts, inputs=inputs,
                  needs="?Monthly Fee,?pre-bureau score,?a.b")  # fmt: skip
    assert show(found) == "1"


def test_a_thousand_decisions_in_a_row_cost_no_depth() -> None:
    chain = [decision("d0", literal("0"))]
    chain += [decision(f"d{n}", literal(f"d{n - 1} + 1"), needs=f"d{n - 1}") for n in range(1, 1001)]
    assert show(value(literal("d1000"), *chain, needs="d1000")) == "1000"


def test_a_decision_that_requires_itself_is_refused_and_null() -> None:
    parts = (decision("a", literal("b"), needs="b"), decision("b", literal("a"), needs="a"))
    model, problems = loaded(*parts)
    assert codes(problems) == ["dmn-cycle"]
    found = evaluate_decision(model, "a", {})
    assert (found.value, codes(found.warnings)) == (None, ["dmn-cycle"])


def test_now_and_today_are_what_the_caller_says() -> None:
    model, _ = loaded(decision("it", literal("[now(), today(), date(now()) = today()]")))
    at = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
    assert (
        show(evaluate_decision(model, "it", {}, at=at).value)
        == '[@"2026-06-30T09:00:00Z", @"2026-06-30", true]'
    )
    silent = evaluate_decision(model, "it", {})
    assert "the engine has no clock" in silent.warnings[0].message


# --- functions ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("f(1, 2)", "3"), ("f(b: 1, a: 2)", "3"), ("f([1], 2)", "3"), ('f("1", 2)', "null"), ("f(1)", "null"),
        ("f(1, 2, 3)", "null"), ("f(a: 1, c: 2)", "null"), ("g(2)", "12"), ("h(3)", '"3"'), ("h([4])", '"4"'),
        ("sort([1, 3, 2], later)", "[3, 2, 1]"),
    ],
)  # fmt: skip
def test_business_knowledge_models(text: str, result: str) -> None:
    parts = (
        bkm("f", "a: number, b: number", literal("a + b")),
        bkm("g", "n", literal("f(n, 10)"), knows="f"),
        bkm("h", "n: number", literal("string(n)"), type_ref="string"),
        bkm("later", "x, y", literal("x > y")),
    )
    assert show(value(literal(text), *parts, knows="f,g,h,later")) == result


def test_the_result_of_a_function_is_of_its_type() -> None:
    signature = (
        "<itemDefinition name='tF'><functionItem outputTypeRef='number'>"
        "<parameters name='a' typeRef='Any'/></functionItem></itemDefinition>"
    )
    for declared in ("number", "tF"):
        parts = (signature, bkm("f", "a", literal("a"), type_ref=declared))
        assert show(value(literal('[f(1), f("x")]'), *parts, knows="f")) == "[1, null]"


def test_a_function_is_evaluated_alone() -> None:
    model, _ = loaded(bkm("f", "a: number, b", literal("a + b")))
    assert evaluate_bkm(model, "f", {"a": 1, "b": 2}).value == 3
    found = evaluate_bkm(model, "f", {"a": "x", "b": 2})
    assert (found.value, codes(found.warnings)) == (None, ["wrong-types"])


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("s(1, 2)", "6"),  # input data come first, then input decisions (10.4)
        ("s(given: 10, i: 2)", "24"),
        ('s("x", 2)', "null"),
        ("s([3], 2)", "10"),
        ("s(1)", "null"),
        ("s(1, 2, 3)", "null"),
        ("[s(1, 2), i, given]", "[6, 5, 1000]"),
    ],
)
def test_decision_services_as_functions(text: str, result: str) -> None:
    assert (
        show(value(literal(text), *PARTS, service(), inputs={"i": 5}, knows="s", needs="?i,given")) == result
    )


@pytest.mark.parametrize(
    ("inputs", "result", "warned"),
    [
        ({"i": 2, "given": 10}, "24", []),
        ({"i": [2], "given": 10}, "24", []),
        ({"i": 2}, "null", ["missing-input", "null-operand", "null-operand"]),
        ({"i": "x", "given": 1}, "null", ["not-conforming", "null-operand", "null-operand"]),
        ({"i": 2, "given": 10, "mid": 9}, "24", ["unknown-input"]),
    ],
)
def test_decision_services_called(inputs: dict[str, Any], result: str, warned: list[str]) -> None:
    model, _ = loaded(*PARTS, service())
    found = evaluate_service(model, "s", inputs)
    assert (show(found.value), codes(found.warnings)) == (result, warned)


def test_several_outputs_of_a_service_are_a_context_and_its_type_holds() -> None:
    both = service().replace("<encapsulated", '<outputDecision href="#mid"/><encapsulated', 1)
    model, _ = loaded(*PARTS, both)
    assert show(evaluate_service(model, "s", {"i": 1, "given": 2}).value) == "{out: 6, mid: 3}"
    model, _ = loaded(*PARTS, service("string"))
    assert evaluate_service(model, "s", {"i": 1, "given": 2}).value is None


# --- imports --------------------------------------------------------------------------------------

LIBRARY = definitions(
    item("tRate", "number", allowed="[0..1]"), input_data("base rate", "tRate"),
    decision("rate", literal("base rate * 2"), needs="?base rate", type_ref="tRate"),
    bkm("twice it", "r: tRate", literal("r * 2")), namespace="urn:lib", name="library",
)  # fmt: skip


def importing(name: str = "lib", location: str = "", namespace: str = "urn:lib") -> str:
    place = f' locationURI="{location}"' if location else ""
    kind = "https://www.omg.org/spec/DMN/20230324/MODEL/"
    return f'<import name="{name}" namespace="{namespace}" importType="{kind}"{place}/>'


@pytest.mark.parametrize(
    ("name", "text", "inputs", "result"),
    [
        ("lib", "lib.rate + lib.twice it(0.1)", {"base rate": Decimal("0.2")}, "0.6"),
        ("lib", "lib.rate", {"lib.base rate": Decimal("0.2")}, "0.4"),
        ("lib", "lib.rate", {"{urn:lib}base rate": Decimal("0.2")}, "0.4"),
        ("lib", "lib.rate", {"lib.rate": Decimal("0.3")}, "0.3"),
        ("lib", "lib.rate", {"base rate": 3}, "null"),
        ("lib", "lib.twice it(3)", {}, "null"),
        ("my lib", "my lib.rate + my lib.twice it(0.1)", {"base rate": Decimal("0.2")}, "0.6"),
        ("", "rate + twice it(0.1)", {"base rate": Decimal("0.2")}, "0.6"),
    ],
)
def test_imports(name: str, text: str, inputs: dict[str, Any], result: str) -> None:
    it = decision("it", literal(text), needs="urn:lib#rate", knows="urn:lib#twice it")
    model, problems = loaded(importing(name), it, **{"lib.dmn": LIBRARY})
    assert problems == ()
    assert show(evaluate_decision(model, "it", inputs).value) == result


def test_types_of_an_import() -> None:
    for name, reference in (("lib", "lib.tRate"), ("", "tRate")):
        it = decision("it", literal("i"), needs="?i", type_ref=reference)
        model, problems = loaded(importing(name), input_data("i", reference), it, **{"lib.dmn": LIBRARY})
        assert problems == ()
        assert show(evaluate_decision(model, "it", {"i": Decimal("0.5")}).value) == "0.5"
        assert evaluate_decision(model, "it", {"i": 5}).value is None


def test_imports_of_imports_and_in_a_circle() -> None:
    middle = definitions(
        importing(), importing("top", namespace="urn:test"),
        decision("m", literal("lib.rate + 1"), needs="urn:lib#rate"), namespace="urn:mid",
    )  # fmt: skip
    it = decision("it", literal("mid.m"), needs="urn:mid#m")
    model, problems = loaded(
        importing("mid", namespace="urn:mid"), it, **{"lib.dmn": LIBRARY, "mid.dmn": middle}
    )
    assert problems == ()
    assert show(evaluate_decision(model, "it", {"base rate": Decimal("0.2")}).value) == "1.4"


def test_the_location_of_an_import_chooses_among_files_of_one_namespace() -> None:
    other = LIBRARY.replace(b"base rate * 2", b"base rate * 3")
    it = decision("it", literal("lib.rate"), needs="urn:lib#rate")
    files = {"a.dmn": LIBRARY, "b.dmn": other}
    for location, result in (("x/b.dmn", "0.6"), ("a.dmn", "0.4")):
        model, _ = loaded(importing(location=location), it, **files)
        assert show(evaluate_decision(model, "it", {"base rate": Decimal("0.2")}).value) == result


@pytest.mark.parametrize(
    ("location", "files", "taken"),
    [
        ("", ("a.dmn", "b.dmn", "c.dmn"), ["`a.dmn`, which is taken, and of `b.dmn`, `c.dmn`"]),
        ("nowhere.dmn", ("a.dmn", "b.dmn"), ["`a.dmn`, which is taken, and of `b.dmn`"]),
        ("b.dmn", ("a.dmn", "b.dmn"), []),
        ("", ("a.dmn",), []),
    ],
)
def test_two_files_of_the_imported_namespace_are_told(
    location: str, files: tuple[str, ...], taken: list[str]
) -> None:
    it = decision("it", literal("lib.rate"), needs="urn:lib#rate")
    _, problems = loaded(importing(location=location), it, **dict.fromkeys(files, LIBRARY))
    assert len(problems) == len(taken)
    for problem, says in zip(problems, taken, strict=True):
        assert says in problem.message
        assert problem.severity is Severity.WARNING


def test_an_import_that_is_nowhere_is_named() -> None:
    _, problems = loaded(importing(), decision("it", literal("1"), needs="urn:lib#rate"))
    assert codes(problems) == ["dmn-import", "dmn-unknown-reference"]
    assert "Give the file whose namespace is `urn:lib`" in problems[0].advice


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("part", "code", "says"),
    [
        (decision("a", literal("1 +")), "feel-syntax", "the text ends"),
        (decision("a", literal("1"), needs="nobody"), "dmn-unknown-reference", "nothing has this id"),
        (input_data("a") + input_data("a"), "dmn-duplicate", "`a` stands for two elements"),
        ("<decision id='a'/>", "dmn-incomplete", "`decision` has no `name`"),
        (decision("a", literal("1") + literal("2")), "dmn-structure", "2 expressions"),
        (decision("a", "<decisionTable hitPolicy='UNIK'/>"), "dmn-structure", "`UNIK` is not a `hitPolicy`"),
        (decision("a", "<relation><column name='x'/><row/></relation>"), "dmn-structure", "0 cells for"),
        (decision("a", literal("1").replace(">", " expressionLanguage='urn:js'>", 1)), "dmn-unsupported",
         "`urn:js` is not FEEL"),
        ("<import name='x' namespace='urn:x' importType='urn:XMLSchema'/>", "dmn-unsupported", "no DMN m"),
    ],
)  # fmt: skip
def test_problems(part: str, code: str, says: str) -> None:
    _, problems = loaded(part)
    assert code in codes(problems)
    found = problems[codes(problems).index(code)]
    assert says in found.message
    assert found.span.line == 2


def test_a_wrong_expression_is_a_warning_and_null() -> None:
    model, problems = loaded(decision("a", literal("1 +")))
    assert [problem.severity for problem in problems] == [Severity.WARNING]
    found = evaluate_decision(model, "a", {})
    assert (found.value, codes(found.warnings)) == (None, ["feel-syntax"])


def test_a_decision_is_also_found_by_its_id() -> None:
    model, _ = loaded(decision("a", literal("1 + 1")).replace('id="a"', 'id="Decision_1"', 1))
    assert [evaluate_decision(model, name, {}).value for name in ("a", "Decision_1")] == [2, 2]


def test_callers_mistakes() -> None:
    model, _ = loaded(*PARTS, service(), bkm("f", "a", literal("a")))
    with pytest.raises(NotInModel, match="no decision `ouut`; did you mean `out`"):
        evaluate_decision(model, "ouut", {})
    with pytest.raises(NotInModel, match="no decision service `out`"):
        evaluate_service(model, "out", {})
    with pytest.raises(NotInModel, match="no business knowledge model"):
        evaluate_bkm(model, "s", {})
    with pytest.raises(NotAFeelValue, match="binary float"):
        evaluate_decision(model, "out", {"i": 0.1})
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    with pytest.raises(InputTooDeep, match="limit `nesting`"):
        evaluate_decision(model, "out", {"i": deep})
    with pytest.raises(KeyError):
        load_model({}, "no.dmn")


# --- limits ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("logic", "parts"),
    [
        (literal("f(1)"), (bkm("f", "n", literal("f(n + 1)")),)),
        (
            literal("f(1)"),
            (bkm("f", "n", literal("g(n)"), knows="g"), bkm("g", "n", literal("f(n)"), knows="f")),
        ),
        (literal("{f: function(n) g(n), r: f(1)}.r"), (bkm("g", "n", literal("g(n)")),)),
    ],
)
def test_recursion_ends_with_a_warning(logic: str, parts: tuple[str, ...]) -> None:
    found = evaluated(
        logic, *parts, knows="f,g" if "g(" in "".join((logic, *parts)) and len(parts) > 1 else parts[0][28]
    )
    assert found.value is None
    assert "limit" in codes(found.warnings)
    assert any("(limit `calls`)" in warning.message for warning in found.warnings)


def test_recursion_that_ends_is_fine() -> None:
    part = bkm("factorial", "n", literal("if n = 0 then 1 else n * factorial(n - 1)"))
    assert show(value(literal("factorial(8)"), part, knows="factorial")) == "40320"


def test_steps_are_counted_through_all_expressions() -> None:
    limits = DmnLimits(feel=Limits(iterations=20_000))
    model, _ = loaded(
        bkm("f", "n", literal("sum(for i in 1..100 return i)")),
        decision("it", literal("for i in 1..1000 return f(i)"), knows="f"),
    )
    found = evaluate_decision(model, "it", {}, limits=limits)
    assert any("(limit `iterations`)" in warning.message for warning in found.warnings)
    assert len(found.warnings) <= 1001


def test_warnings_are_bounded() -> None:
    found = evaluated(literal("for i in 1..5000 return nobody"))
    assert len(found.warnings) == 1001
    assert "(limit `warnings`)" in found.warnings[-1].message


def test_files_are_bounded() -> None:
    files = {f"{n}.dmn": definitions() for n in range(5)}
    found = load_model(files, "0.dmn", limits=DmnLimits(files=4))
    assert codes(found.problems) == ["dmn-limit"]
