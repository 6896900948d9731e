import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.dmn.from_xml import read_definitions
from engine.dmn.limits import DmnLimits
from engine.dmn.xml import XmlRefused, parse_xml
from engine.source import Problem, Span
from tests.engine.dmn.build import definitions

LAUGHS = "".join('<!ENTITY l{} "{}">'.format(n, f"&l{n - 1};" * 10) for n in range(1, 10))


def refused(data: bytes, limits: DmnLimits | None = None) -> Problem:
    with pytest.raises(XmlRefused) as caught:
        parse_xml(data, "m.dmn", limits or DmnLimits())
    return caught.value.problem


@pytest.mark.parametrize(
    "document",
    [
        pytest.param(f'<!DOCTYPE d [<!ENTITY l0 "ha">{LAUGHS}]><d>&l9;</d>', id="billion laughs"),
        pytest.param(f'<!DOCTYPE d [<!ENTITY a "{"x" * 50_000}">]><d>{"&a;" * 1000}</d>', id="quadratic"),
        pytest.param('<!DOCTYPE d [<!ENTITY x SYSTEM "file:///etc/hostname">]><d>&x;</d>', id="file"),
        pytest.param('<!DOCTYPE d SYSTEM "http://127.0.0.1:9/d.dtd"><d/>', id="outside"),
        pytest.param('<!DOCTYPE d [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]><d/>', id="parameter"),
        pytest.param("<!DOCTYPE d><d/>", id="an empty one"),
        pytest.param('<!DOCTYPE d [<!ATTLIST d a CDATA "b">]><d/>', id="default attribute"),
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_any_document_type_is_refused(document: str, encoding: str) -> None:
    problem = refused(document.encode(encoding))
    assert problem.code == "xml-refused"
    assert "DOCTYPE" in problem.advice
    assert problem.span.file == "m.dmn"


@pytest.mark.parametrize(
    ("data", "limit", "limits"),
    [
        (b"<a>" * 81 + b"</a>" * 81, "nesting", DmnLimits()),
        (b"<a>" * 100_000, "nesting", DmnLimits()),
        (b"<a>" + b"<b/>" * 20 + b"</a>", "elements", DmnLimits(elements=20)),
        (b"<a " + b" ".join(b'a%d=""' % n for n in range(61)) + b"/>", "attributes", DmnLimits()),
        (b"<a>" + b" " * 100 + b"</a>", "bytes", DmnLimits(bytes=100)),
    ],
)
def test_limits_are_named(data: bytes, limit: str, limits: DmnLimits) -> None:
    problem = refused(data, limits)
    assert problem.code == "xml-limit"
    assert f"(limit `{limit}`)" in problem.message


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [
        (b"", 1, 1),
        (b"   ", 1, 4),
        (b"<a>\n <b></c>\n</a>", 2, 7),
        (b"<a>\n&nbsp;</a>", 2, 1),
        (b"\xff\xfe\x00", 1, 2),
        (b"<a>\x01</a>", 1, 4),
        (b'<?xml version="1.0" encoding="klingon"?><a/>', 1, 1),
        (b"not xml", 1, 1),
    ],
)
def test_what_is_not_xml_is_refused_with_its_place(data: bytes, line: int, column: int) -> None:
    problem = refused(data)
    assert problem.code == "xml-syntax"
    assert (problem.span.line, problem.span.column) == (line, column)


@given(st.binary(max_size=200) | st.text(alphabet="<>/ab&;![]\"'= \n?-", max_size=80).map(str.encode))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    found = read_definitions(data, "m.dmn")
    assert found.policy is None
    assert found.problems


def test_every_character_of_a_text_keeps_its_place() -> None:
    root = parse_xml(b"<a>\n  <t>x &lt; 5\n  and <![CDATA[y > 6]]></t></a>", "m.dmn")
    text = root.children[0].text
    assert text.value == "x < 5\n  and y > 6"
    places = {part: text.place(text.value.index(part)) for part in ("x", "<", "5", "and", "y", "6")}
    assert {part: (span.line, span.column) for part, span in places.items()} == {
        "x": (2, 6), "<": (2, 8), "5": (2, 13), "and": (3, 3), "y": (3, 16), "6": (3, 20),
    }  # fmt: skip


def test_prefixes_end_with_their_element() -> None:
    root = parse_xml(b'<a xmlns:p="urn:1"><b xmlns:p="urn:2" xmlns:q="urn:3"/><c/></a>', "m.dmn")
    assert [child.prefixes for child in root.children] == [{"p": "urn:2", "q": "urn:3"}, {"p": "urn:1"}]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "iso-8859-1"])
def test_encodings(encoding: str) -> None:
    text = definitions('<inputData id="i" name="Größe"/>').decode()
    name = encoding.removesuffix("-sig")
    declared = f'<?xml version="1.0" encoding="{name}"?>{text}'
    found = read_definitions(declared.encode(encoding), "m.dmn")
    assert found.policy is not None
    assert found.policy.elements[0].name == "Größe"


@pytest.mark.parametrize(
    ("namespace", "version"),
    [
        ("http://www.omg.org/spec/DMN/20151101/dmn.xsd", "1.1"),
        ("http://www.omg.org/spec/DMN/20180521/MODEL/", "1.2"),
        ("https://www.omg.org/spec/DMN/20191111/MODEL/", "1.3"),
        ("https://www.omg.org/spec/DMN/20211108/MODEL/", "1.4"),
        ("https://www.omg.org/spec/DMN/20230324/MODEL/", "1.5"),
    ],
)
def test_versions(namespace: str, version: str) -> None:
    found = read_definitions(definitions(version=namespace), "m.dmn")
    assert found.policy is not None
    assert found.policy.version == version


@pytest.mark.parametrize(
    "data",
    [
        b"<definitions/>",
        b'<definitions xmlns="urn:x"/>',
        definitions().replace(b"definitions", b"model"),
        b"<html/>",
    ],
)
def test_other_roots_are_refused(data: bytes) -> None:
    found = read_definitions(data, "m.dmn")
    assert found.policy is None
    assert [problem.code for problem in found.problems] == ["dmn-version"]
    assert found.problems[0].span == Span("m.dmn", 1, 1)
