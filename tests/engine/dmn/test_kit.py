import json
from datetime import UTC, datetime
from functools import cache

import pytest

from engine.dmn import KitReport, run_kit, to_xml
from engine.dmn.from_xml import read_definitions
from tests.engine.dmn.build import decision, definitions, input_data, literal
from tests.engine.dmn.kit_folder import FOLDER, OWN, RESULT, files

AT = datetime(2026, 6, 30, 9, 0, tzinfo=UTC)
HEAD = (
    '<testCases xmlns="http://www.omg.org/spec/DMN/20160719/testcase" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema">'
)


def cases(*inside: str, model: str = "m.dmn") -> bytes:
    numbered = (text.replace('id="1"', f'id="{number}"') for number, text in enumerate(inside, 1))
    return f"{HEAD}<modelName>{model}</modelName>{''.join(numbered)}</testCases>".encode()


def case(expected: str, inputs: str = "", name: str = "it", options: str = "") -> str:
    result = f'<resultNode name="{name}"><expected>{expected}</expected></resultNode>'
    return f'<testCase id="1"{options}>{inputs}{result}</testCase>'


def typed(kind: str, text: str) -> str:
    return f'<value xsi:type="xsd:{kind}">{text}</value>'


NIL = '<value xsi:nil="true"/>'
NAMED = f'<component name="b">{typed("decimal", "1")}</component>'
SEVEN = f"<item>{typed('decimal', '7')}</item>"


def one(logic: str, expected: str, given: str = "") -> KitReport:
    model = definitions(input_data("i"), decision("it", literal(logic), needs="?i"))
    inputs = f'<inputNode name="i">{given}</inputNode>' if given else ""
    name = "compliance-level-3/0001-x"
    report = run_kit({f"{name}/m.dmn": model, f"{name}/t.xml": cases(case(expected, inputs))}, at=AT)
    assert len(report.results) == 1
    return report


@pytest.mark.parametrize(
    ("logic", "expected", "given"),
    [
        ("1 / 3", typed("decimal", "0.333333339"), ""),
        ("1 / 3", typed("double", "3.33333333E-1"), ""),
        ("null", NIL, ""),
        ("i", typed("string", " a b "), typed("string", " a b ")),
        ("i", "<value>plain</value>", "<value>plain</value>"),
        ("i", typed("boolean", "true"), typed("boolean", "1")),
        ("i", typed("date", "2026-01-31"), typed("date", "2026-01-31")),
        ("i", typed("dateTime", "2026-01-31T10:00:00Z"), typed("dateTime", "2026-01-31T10:00:00Z")),
        ("i", typed("time", "10:00:00"), typed("time", "10:00:00")),
        ("i", typed("duration", "P14M"), typed("duration", "P1Y2M")),
        ("[1, null]", f"<list><item>{typed('decimal', '1')}</item><item>{NIL}</item></list>", ""),
        ("[]", "<list/>", ""),
        ("null", '<list xsi:nil="true"/>', ""),
        ("{a: {b: 1}}", f'<component name="a">{NAMED}</component>', ""),
        ("{a: null}", f'<component name="a">{NIL}</component>', ""),
        ("i.a[1]", typed("decimal", "7"), f'<component name="a"><list>{SEVEN}</list></component>'),
        ("today()", typed("date", "2026-06-30"), ""),
    ],
)  # fmt: skip
def test_what_passes(logic: str, expected: str, given: str) -> None:
    assert one(logic, expected, given).wrong == ()


@pytest.mark.parametrize(
    ("logic", "type_ref", "text", "expected"),
    [
        ("i + 1", "number", "<value>6000</value>", "<value>6001.00</value>"),
        ("not(i)", "boolean", "<value>true</value>", "<value>false</value>"),
        ('i + "!"', "string", "<value>12</value>", "<value>12!</value>"),
        ("i.year", "date", "<value>2016-11-01</value>", "<value>2016</value>"),
        ('i + duration("P1D")', "date", "<value>2016-11-01</value>", "<value>2016-11-02</value>"),
        ("i", "", "<value>1</value>", typed("string", "1")),
        ("i", "number", typed("string", "1"), NIL),
    ],
)
def test_values_without_a_type_are_what_the_model_declares(
    logic: str, type_ref: str, text: str, expected: str
) -> None:
    model = definitions(input_data("i", type_ref), decision("it", literal(logic), needs="?i"))
    found = case(expected, f'<inputNode name="i">{text}</inputNode>').replace("expected>", "computed>")
    assert run_kit({"l/f/m.dmn": model, "l/f/t.xml": cases(found)}, at=AT).wrong == ()


@pytest.mark.parametrize(
    ("logic", "expected", "says"),
    [
        ("1 / 3", typed("decimal", "0.3333333"), "expected 0.3333333, got 0.333"),
        ("2", NIL, "expected null, got 2"),
        ("{a: 1}", f'<component name="b">{typed("decimal", "1")}</component>', "expected {b: 1}, got {a: 1}"),
        ("[1]", "<list/>", "expected [], got [1]"),
        ("1", typed("string", "1"), 'expected "1", got 1'),
        ("nobody", typed("string", "1"), "nothing is called `nobody`"),
        ("1", typed("double", "INF"), "expected Infinity, got 1"),
    ],
)
def test_what_fails(logic: str, expected: str, says: str) -> None:
    report = one(logic, expected)
    assert [result.status for result in report.wrong] == ["failed"]
    assert says in report.wrong[0].message


@pytest.mark.parametrize(
    ("inside", "says"),
    [
        (cases(case(NIL), model="other.dmn"), "there is no file `other.dmn`"),
        (cases(case(NIL, name="nobody")), "the model has no decision `nobody`"),
        (cases(case(typed("decimal", "one"))), "`one` is not a decimal"),
        (cases(case(typed("decimal", "1e99999"))), "`1e99999` is not a decimal"),
        (
            cases(case(NIL, f'<inputNode name="i">{typed("double", "NaN")}</inputNode>')),
            "is not a FEEL value",
        ),
        (cases(case(typed("hexBinary", "00"))), "`hexBinary` is not a type of values"),
        (cases('<testCase id="1"/>'), "it expects nothing: there is no `resultNode`"),
        (
            cases(case(NIL, options=' type="foo"')),
            "`foo` is not a type of cases: decision, decisionService, bkm",
        ),
        (cases(case(NIL, f'<inputNode name="j">{NIL}</inputNode>')), "the model has no input `j`"),
        (f"{HEAD}</testCases>".encode(), "`modelName` is missing"),
        (cases(case(NIL), model="bad.dmn"), "this is not XML"),
    ],
)
def test_what_cannot_be_run_is_an_error(inside: bytes, says: str) -> None:
    model = definitions(input_data("i"), decision("it", literal("i"), needs="?i"))
    report = run_kit({"l/f/m.dmn": model, "l/f/bad.dmn": b"<", "l/f/t.xml": inside}, at=AT)
    assert [result.status for result in report.results] == ["error"]
    assert says in report.results[0].message


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (case(NIL, f'<inputNode name="i">{typed("decimal", "abc")}</inputNode>'), "`abc` is not a decimal"),
        (case(NIL).replace('id="1"', "id='1'"), "two cases have the id `1`"),
        (case(NIL, options=' type="foo"'), "`foo` is not a type of cases"),
    ],
)
def test_a_wrong_case_leaves_its_neighbours_alone(wrong: str, says: str) -> None:
    model = definitions(input_data("i"), decision("it", literal("i"), needs="?i"))
    data = cases(case(NIL), wrong, case(NIL))
    report = run_kit({"l/f/m.dmn": model, "l/f/t.xml": data}, at=AT)
    assert [result.status for result in report.results] == ["passed", "error", "passed"]
    assert says in report.results[1].message


def test_the_rows_that_vendors_submit() -> None:
    model = definitions(decision("it", literal('"a ""quoted"" text"')), decision("b", literal("1")))
    folder = "TestCases/compliance-level-2/0001-x"
    text = cases(case(typed("decimal", "1"), name="b"), case(typed("string", "x"), name="it"))
    report = run_kit({f"{folder}/m.dmn": model, f"{folder}/0001-x-test-01.xml": text}, at=AT)
    assert report.csv().splitlines()[0] == '"compliance-level-2/0001-x","0001-x-test-01","1","SUCCESS",""'
    assert (
        report.csv()
        .splitlines()[1]
        .startswith('"compliance-level-2/0001-x","0001-x-test-01","2","ERROR","it: ')
    )
    assert report.levels == ("compliance-level-2",)
    assert (report.count().passed, report.count().failed, str(report.count().rate)) == (1, 1, "50")


def test_the_cases_that_expect_a_value_are_counted_apart() -> None:
    model = definitions(decision("it", literal("null")))
    text = cases(case(NIL), case(typed("decimal", "1")))
    report = run_kit({"l/f/m.dmn": model, "l/f/t.xml": text}, at=AT)
    assert report.counts()["all"] == {
        "all": {"cases": 2, "passed": 1, "failed": 1, "errors": 0},
        "values": {"cases": 1, "passed": 0, "failed": 1, "errors": 0},
    }


def test_our_own_cases_all_pass() -> None:
    report = run_kit(files(OWN), at=AT)
    assert report.wrong == ()
    assert report.count(only_values=True).total > 20


@pytest.mark.kit
def test_the_kit_never_falls() -> None:
    report = _kit()
    before = json.loads(RESULT.read_text(encoding="utf-8"))
    now = report.counts()
    for level, counts in before["counts"].items():
        for which, numbers in counts.items():
            have = now[level][which]
            assert have["cases"] == numbers["cases"], "another kit: make fixtures/conformance/tck.json anew"
            assert have["passed"] >= numbers["passed"], [
                f"{r.folder} {r.case}: {r.message}" for r in report.wrong
            ]
    assert [f"{r.folder} {r.case}" for r in report.wrong] == before["not passed"]


@pytest.mark.kit
def test_the_bars_are_kept() -> None:
    report = _kit()
    assert report.count("compliance-level-2").rate == 100
    assert report.count("compliance-level-3").rate >= 99
    assert report.count("compliance-level-3", only_values=True).rate >= 99
    assert {result.outside for result in report.wrong} == {"Java"}


@pytest.mark.kit
def test_models_that_were_written_and_read_again_decide_the_same() -> None:
    kit = files(FOLDER) or pytest.skip(f"there is no conformance kit in {FOLDER.name}")
    written = {}
    for path, data in kit.items():
        model = read_definitions(data, path).policy if path.endswith(".dmn") else None
        written[path] = data if model is None else to_xml(model)
    assert [r.status for r in run_kit(written, at=AT).results] == [r.status for r in _kit().results]


@cache
def _kit() -> KitReport:
    kit = files(FOLDER)
    if not kit:
        pytest.skip("there is no conformance kit: set FORBEAR_TCK to the kit's TestCases")
    return run_kit(kit, at=AT)
