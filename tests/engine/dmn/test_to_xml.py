from dataclasses import fields, is_dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.dmn import to_xml
from engine.dmn.expressions import Formula
from engine.dmn.from_xml import read_definitions
from engine.dmn.model import Definitions
from engine.dmn.out import NotInXml
from engine.dmn.xml import Element, Text
from engine.source import Span
from tests.engine.dmn.build import bkm, decision, definitions, input_data, item, literal, table


def read(data: bytes) -> Definitions:
    found = read_definitions(data, "m.dmn")
    assert found.policy is not None, found.problems
    return found.policy


def plain(value: Any) -> Any:
    """Return a model as nested tuples without places."""
    if isinstance(value, Formula):
        return (value.value, value.language)
    if isinstance(value, Element):
        kept = (value.name, sorted(value.attributes.items()), "".join(value.texts).strip())
        return (*kept, [plain(child) for child in value.children])
    if is_dataclass(value) and not isinstance(value, type | Span | Text):
        parts = (f.name for f in fields(value) if f.name not in ("span", "version", "prefixes", "file"))
        return (type(value).__name__, *((name, plain(getattr(value, name))) for name in parts))
    return [plain(one) for one in value] if isinstance(value, tuple) else value


EVERYTHING = definitions(
    "<description>All there is &amp; more</description>",
    '<extensionElements><x:note xmlns:x="urn:x" x:kind="a">kept</x:note></extensionElements>',
    '<import name="lib" namespace="urn:lib" locationURI="l.dmn" '
    'importType="http://www.omg.org/spec/DMN/20180521/MODEL/"/>',
    item("tGrade", "string", allowed='"A", "<B>"', many=True),
    item("tPerson", inside=item("name", "string", tag="itemComponent")),
    "<itemDefinition name='tF'><functionItem outputTypeRef='number'><parameters name='a' typeRef='number'/>"
    "</functionItem></itemDefinition>",
    input_data("i", "number"),
    decision(
        "table",
        table("i; i + 1", 'a: "x", "y" = "x"; b', '> 1; - | "x"; 1', '-; < 3 | "y"; 2', policy="COLLECT"),
        needs="?i,other",
    ).replace("<variable", "<question>Why?</question><allowedAnswers>Yes, no</allowedAnswers><variable", 1),
    decision("text", literal('if i > 1\n  then "a\tb"\n  else "<&>"'), needs="?i", knows="f,s"),
    decision("none", ""),
    decision(
        "boxes",
        "<context><contextEntry><variable name='r'/><relation><column name='x' typeRef='number'/>"
        f"<row>{literal('1')}</row></relation></contextEntry><contextEntry><list>{literal('2', 'number')}"
        "<conditional><if><literalExpression><text>true</text></literalExpression></if><then/>"
        "<else><literalExpression/></else></conditional>"
        f"<for iteratorVariable='e'><in>{literal('r')}</in><return>{literal('e')}</return></for>"
        f"<some iteratorVariable='e'><in>{literal('r')}</in><satisfies>{literal('e')}</satisfies></some>"
        f"<filter><in>{literal('r')}</in><match>{literal('item')}</match></filter>"
        f"<invocation>{literal('f')}<binding><parameter name='a'/>{literal('1')}</binding></invocation>"
        f"<functionDefinition kind='Java'><formalParameter name='p'/>{literal('p')}</functionDefinition>"
        "</list></contextEntry></context>",
    ),
    bkm("f", "a: number, b", literal("a"), knows="s", kind="PMML"),
    '<decisionService id="s" name="s"><variable name="s"/><outputDecision href="#text"/>'
    '<encapsulatedDecision href="#none"/><inputDecision href="#table"/><inputData href="#i"/>'
    "</decisionService>",
    '<knowledgeSource id="k" name="law"/>',
    '<dmndi:DMNDI xmlns:dmndi="http://www.omg.org/spec/DMN/20180521/DMNDI/">'
    '<dmndi:DMNDiagram id="d"/></dmndi:DMNDI>',
)


def test_a_model_reads_back_as_it_was_written() -> None:
    model = read(EVERYTHING)
    once = to_xml(model)
    assert plain(replace(read(once), imports=())) == plain(replace(model, imports=()))
    assert to_xml(read(once)) == once


def test_it_is_written_in_the_newest_version() -> None:
    old = definitions(decision("a", literal("1")), version="http://www.omg.org/spec/DMN/20151101/dmn.xsd")
    assert read(old).version == "1.1"
    assert read(to_xml(read(old))).version == "1.5"
    assert b"20180521" not in to_xml(read(EVERYTHING))


@settings(max_examples=50)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=30),
    st.text(st.characters(codec="utf-8"), max_size=30),
)
def test_texts_and_names_come_back_or_are_refused(text: str, name: str) -> None:
    model = read(definitions(decision("a", literal("x"))))
    first = model.elements[0]
    formula = Formula(Text(text, "m.dmn", ()))
    logic = replace(first.expression, formula=formula)  # type: ignore[attr-defined]  # a literal in a decision
    changed = replace(model, elements=(replace(first, expression=logic, label=name),))  # type: ignore[call-arg]
    try:
        written = to_xml(changed)
    except NotInXml:
        return
    back = read(written).elements[0]
    assert back.label == name
    found = back.expression.formula  # type: ignore[attr-defined]
    assert found is None if not text.strip() else found.value == text


def test_what_xml_cannot_hold_is_refused() -> None:
    model = replace(read(definitions()), name="a\x00b")
    with pytest.raises(NotInXml, match=r"U\+0000"):
        to_xml(model)
