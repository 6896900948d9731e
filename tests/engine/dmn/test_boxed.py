import pytest

from engine.feel import show
from tests.engine.dmn.build import bkm, codes, evaluated, formal, input_data, literal, table, value


def entry(name: str, logic: str, type_ref: str = "") -> str:
    typed = f' typeRef="{type_ref}"' if type_ref else ""
    variable = f'<variable name="{name}"{typed}/>' if name else ""
    return f"<contextEntry>{variable}{logic}</contextEntry>"


def context(*entries: str) -> str:
    return f"<context>{''.join(entries)}</context>"


def boxed(kind: str, source: str, body: str, variable: str = "each") -> str:
    inside = {"for": "return", "some": "satisfies", "every": "satisfies", "filter": "match"}[kind]
    named = "" if kind == "filter" else f' iteratorVariable="{variable}"'
    return f"<{kind}{named}><in>{literal(source)}</in><{inside}>{literal(body)}</{inside}></{kind}>"


def conditional(condition: str) -> str:
    parts = {"if": condition, "then": '"yes"', "else": '"no"'}
    return f"<conditional>{''.join(f'<{k}>{literal(v)}</{k}>' for k, v in parts.items())}</conditional>"


def relation(columns: str, *rows: str) -> str:
    head = "".join(f'<column name="{name.strip()}"/>' for name in columns.split(","))
    cells = ("".join(map(literal, row.split(","))) for row in rows)
    return f"<relation>{head}{''.join(f'<row>{row}</row>' for row in cells)}</relation>"


def invocation(function: str, **arguments: str) -> str:
    bindings = (f'<binding><parameter name="{n}"/>{literal(v)}</binding>' for n, v in arguments.items())
    return f"<invocation>{literal(function)}{''.join(bindings)}</invocation>"


def function(parameters: str, body: str, kind: str = "") -> str:
    attribute = f' kind="{kind}"' if kind else ""
    return f"<functionDefinition{attribute}>{formal(parameters)}{body}</functionDefinition>"


five = literal("5")


@pytest.mark.parametrize(
    ("logic", "result"),
    [
        (literal("1 + 2"), "3"),
        ("<literalExpression/>", "null"),
        ("", "null"),
        # contexts: each entry sees those before it; an entry without a name is the result
        (context(entry("a", literal("1")), entry("b", literal("a + 1"))), "{a: 1, b: 2}"),
        (context(entry("a", literal("1")), entry("", literal("a + 1"))), "2"),
        (context(entry("b", literal("a + 1")), entry("a", literal("1"))), "{b: null, a: 1}"),
        (context(entry("monthly fee-a", literal("3")), entry("", literal("monthly fee-a * 2"))), "6"),
        (context(entry("a", literal('"x"'), "number"), entry("b", literal("a"))), "{a: null, b: null}"),
        (context(entry("a", literal("[1]"), "number")), "{a: 1}"),
        (context(), "{}"),
        (context(entry("a", literal("1")), entry("a", literal("2"))), "null"),
        # lists and relations
        (f"<list>{literal('1')}{context(entry('a', literal('2')))}</list>", "[1, {a: 2}]"),
        ("<list/>", "[]"),
        (relation("a,b c", "1,2", "3,4"), "[{a: 1, b c: 2}, {a: 3, b c: 4}]"),
        # conditionals: what is neither true nor false has no branch, null is as good as false
        (conditional("1 < 2"), '"yes"'),
        (conditional("1 > 2"), '"no"'),
        (conditional("null"), '"no"'),
        (conditional('"true"'), "null"),
        # filters
        (boxed("filter", "[1, 2, 3]", "item > 1"), "[2, 3]"),
        (boxed("filter", "[{a: 1}, {a: 2}]", "a > 1"), "[{a: 2}]"),
        (boxed("filter", "[{total fee: 1, n: 2}]", "total fee + n = 3"), "[{total fee: 1, n: 2}]"),
        (boxed("filter", "[]", "item > 1"), "[]"),
        (boxed("filter", "5", "item > 1"), "[5]"),
        (boxed("filter", "null", "item > 1"), "null"),
        (boxed("filter", "[1, 2]", "if item = 1 then true else 2"), "null"),
        # loops
        (boxed("for", "[1, 2]", "each * 2"), "[2, 4]"),
        (boxed("for", "[1..3]", "each"), "[1, 2, 3]"),
        (boxed("for", "[1, 2, 3]", "count(partial)"), "[0, 1, 2]"),
        (boxed("for", "[]", "each"), "[]"),
        (boxed("for", "null", "each"), "null"),
        (boxed("for", "[1, 2]", "each + my", variable="my each").replace("my each", "each"), "[null, null]"),
        (boxed("some", "[1, 2]", "each > 1"), "true"),
        (boxed("some", "[1, 2]", "each > 2"), "false"),
        (boxed("some", "[]", "each > 2"), "false"),
        (boxed("some", "[1, 2]", "if each = 1 then true else 0"), "null"),
        (boxed("every", "[1, 2]", "each > 0"), "true"),
        (boxed("every", "[1, 2]", "each > 1"), "false"),
        (boxed("every", "[]", "each > 2"), "true"),
        (boxed("every", "[1, 2]", "null"), "null"),
        # functions and their calls
        (context(entry("f", function("a:number", literal("a * 2"))), entry("", literal("f(4)"))), "8"),
        (context(entry("f", function("a:number", literal("a * 2"))), entry("", literal("f(a: [4])"))), "8"),
        (context(entry("f", function("a:number", literal("a"))), entry("", literal('f("x")'))), "null"),
        (context(entry("f", function("a,b", literal("a-b"))), entry("", invocation("f", b="1", a="3"))), "2"),
        (context(entry("f", function("", literal("7"))), entry("", literal("f()"))), "7"),
        (context(entry("n", five), entry("f", function("a", literal("a+n"))), entry("", literal("f(1)"))),
         "6"),
        (invocation("string length", string='"four"'), "4"),
        (invocation("function(a, b) a - b", a="3", b="1"), "2"),
        (invocation("5", a="3"), "null"),
        (invocation("nobody", a="3"), "null"),
    ],
)  # fmt: skip
def test_value(logic: str, result: str) -> None:
    assert show(value(logic)) == result


@pytest.mark.parametrize("kind", ["Java", "PMML"])
def test_functions_of_other_kinds_are_refused_by_name(kind: str) -> None:
    body = context(entry("java", context(entry("class", literal('"java.lang.Math"')))))
    found = evaluated(literal("f(1)"), bkm("f", "a", body, kind=kind), knows="f")
    assert found.value is None
    assert codes(found.warnings) == ["external-function"]
    assert f"`f` is a function of {kind}" in found.warnings[0].message


def test_a_boxed_expression_may_hold_any_other() -> None:
    inner = context(entry("rows", relation("x", "1", "2")), entry("", boxed("for", "rows", "each.x + n")))
    rows = table("n", "", '> 1 | "many"', '<= 1 | "one"')
    logic = f"<list>{conditional('n > 1')}{inner}{rows}</list>"
    found = value(logic, input_data("n", "number"), inputs={"n": 5}, needs="?n")
    assert show(found) == '["yes", [6, 7], "many"]'


def test_a_warning_stands_at_its_place() -> None:
    found = evaluated(literal("1 +\n  nobody"))
    assert codes(found.warnings) == ["unknown-name", "null-operand"]
    assert (found.warnings[0].span.file, found.warnings[0].span.line, found.warnings[0].span.column) == (
        "test.dmn",
        3,
        3,
    )
