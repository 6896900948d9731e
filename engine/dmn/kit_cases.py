"""The case files of the DMN conformance kit (testCases.xsd): models, inputs and what is expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from engine.dmn.facts import Untyped, number_in
from engine.dmn.limits import LIMITS, DmnLimits
from engine.dmn.xml import Element, XmlRefused, parse_xml
from engine.feel.dates import parse_date, parse_date_time, parse_time
from engine.feel.durations import parse_duration
from engine.feel.values import Value

ROOT_TAG: Final = re.compile(rb"<(?:[A-Za-z_][\w.-]*:)?([A-Za-z_][\w.-]*)")
TYPES: Final = ("decision", "decisionService", "bkm")
INSTANCE: Final = "{http://www.w3.org/2001/XMLSchema-instance}"


class BadCase(ValueError):
    """A case file says something that is not in its schema."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What one decision has to be worth."""

    name: str
    value: Value
    error: bool = False
    """Whether an error may be reported; the value is null then."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test case."""

    id: str
    kind: str
    """`decision`, `decisionService` or `bkm`."""
    invocable: str
    inputs: dict[str, Value]
    expected: tuple[Expected, ...]
    wrong: str = ""
    """Why it cannot be run; its neighbours can."""

    @property
    def expects_a_value(self) -> bool:
        """Tell whether anything but null is expected; an engine that always says null passes the others."""
        return any(one.value is not None for one in self.expected)


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One file of cases for one model."""

    model: str
    cases: tuple[Case, ...]


def is_case_file(data: bytes) -> bool:
    """Tell whether the first element of an XML file is that of a file of cases."""
    found = ROOT_TAG.search(data[:20_000])
    return found is not None and found[1] == b"testCases"


def read_cases(data: bytes, file: str, limits: DmnLimits = LIMITS) -> CaseFile:
    """Return the cases of a file; raises BadCase if it is not one."""
    try:
        root = parse_xml(data, file, limits)
    except XmlRefused as refused:
        raise BadCase(str(refused)) from None
    if root.name != "testCases":
        raise BadCase(f"`{root.name}` is not `testCases`")
    model = root.first("modelName")
    if model is None:
        raise BadCase("`modelName` is missing")
    return CaseFile(model.text.value.strip(), tuple(_cases(root)))


def _cases(root: Element) -> Iterator[Case]:
    seen: set[str] = set()
    for element in root.named("testCase"):
        name = element.get("id") or ""
        try:
            case = _case(element)
        except BadCase as bad:
            yield Case(name, "", "", {}, (), str(bad))
            continue
        twice = f"two cases have the id `{name}`" if name and name in seen else ""
        seen.add(name)
        yield replace(case, wrong=twice or _why_not(case))


def _why_not(case: Case) -> str:
    if case.kind not in TYPES:
        return f"`{case.kind}` is not a type of cases: {', '.join(TYPES)}"
    return "" if case.expected else "it expects nothing: there is no `resultNode`"


def _case(element: Element) -> Case:
    inputs: dict[str, Value] = {}
    for node in element.named("inputNode"):
        namespace = node.get("namespace")
        name = node.get("name") or ""
        inputs[f"{{{namespace}}}{name}" if namespace else name] = _value(node)
    return Case(
        element.get("id") or "", element.get("type") or "decision", element.get("invocableName") or "",
        inputs, tuple(map(_expected, element.named("resultNode"))),
    )  # fmt: skip


def _expected(element: Element) -> Expected:
    found = element.first("expected") or element.first("computed")  # as the first kits call it
    value = None if found is None else _value(found)
    return Expected(element.get("name") or "", value, element.get("errorResult") in ("true", "1"))


def _value(element: Element) -> Value:
    """Return what an `inputNode`, `expected`, `item` or `component` holds."""
    if (simple := element.first("value")) is not None:
        return _simple(simple)
    if (listed := element.first("list")) is not None:
        return None if _is_nil(listed) else [_value(item) for item in listed.named("item")]
    components = list(element.named("component"))
    if not any(c.get("name") for c in components):  # `<component xsi:nil="true"/>`, or nothing at all
        return None
    return {c.get("name") or "": None if _is_nil(c) else _value(c) for c in components}


def _is_nil(element: Element) -> bool:
    return element.get(f"{INSTANCE}nil") in ("true", "1")


def _simple(element: Element) -> Value:
    if _is_nil(element):
        return None
    if element.get(f"{INSTANCE}type") is None:
        return Untyped(element.text.value)
    kind = (element.get(f"{INSTANCE}type") or "").rpartition(":")[2]
    if kind not in READERS:
        raise BadCase(f"`{kind}` is not a type of values at {element.span}")
    text = element.text.value
    value = READERS[kind](text if kind == "string" else text.strip())
    if value is None:
        raise BadCase(f"`{text:.80}` is not a {kind} at {element.span}")
    return value


READERS: Final[dict[str, Callable[[str], Value]]] = {
    "string": lambda text: text,
    "decimal": number_in, "double": number_in, "float": number_in, "integer": number_in,
    "int": number_in, "long": number_in,
    "boolean": lambda text: {"true": True, "1": True, "false": False, "0": False}.get(text),
    "date": parse_date, "time": parse_time, "dateTime": parse_date_time,
    "duration": parse_duration, "yearMonthDuration": parse_duration, "dayTimeDuration": parse_duration,
}  # fmt: skip
