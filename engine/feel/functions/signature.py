"""How a built-in function is declared: by the line with which the standard introduces it.

    @function("substring(string: string, start position: number, [length: number]) -> string")

Parameters in brackets may be left out, `...name: T` takes all the rest, at least one, and a type
with `?` takes null.
A result with `?` may be null. `T` stands for one type that the arguments agree on; only the static
types look at it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from engine.feel.kinds import ANY, BY_NAME, FeelType, ListOf, Named, RangeOf
from engine.feel.values import Function

Run = TypeVar("Run", bound=Callable[..., Any])
VARIABLE = Named("T")
LINE = re.compile(r"(?P<name>[^(]+)\((?P<parameters>.*)\) -> (?P<result>.+)")


@dataclass(frozen=True, slots=True)
class Formal:
    """A formal parameter of a built-in."""

    name: str
    type: FeelType
    optional: bool = False
    variadic: bool = False
    nullable: bool = False


@dataclass(frozen=True, slots=True)
class Overload:
    """One way to call a built-in."""

    name: str
    formals: tuple[Formal, ...]
    result: FeelType
    run: Callable[..., Any]
    line: str
    nullable: bool = False
    """Its result may be null without anything being wrong."""
    metered: bool = False
    """It counts what it costs, on the meter that it is given as `spend`."""

    def takes(self, count: int) -> bool:
        """Tell whether that many arguments by position are right."""
        least = sum(not f.optional for f in self.formals)
        return least <= count and (count <= len(self.formals) or self.formals[-1].variadic)

    def formal(self, index: int) -> Formal:
        """Return the parameter that takes the argument at a position."""
        return self.formals[min(index, len(self.formals) - 1)]


@dataclass(frozen=True, slots=True, eq=False)
class BuiltIn(Function):
    """A built-in function: its name and the ways to call it."""

    name: str
    overloads: tuple[Overload, ...]


REGISTRY: dict[str, BuiltIn] = {}


def function(line: str, *, metered: bool = False) -> Callable[[Run], Run]:
    """Register a Python function as a built-in of FEEL, under the line that declares it."""

    def register(run: Run) -> Run:
        found = LINE.fullmatch(line)
        if found is None:
            raise ValueError(f"not a declaration: {line}")
        name, formals = found["name"], tuple(_formals(found["parameters"]))
        result = found["result"]
        overload = Overload(
            name, formals, _type(result.rstrip("?")), run, line, result.endswith("?"), metered
        )
        before = REGISTRY[name].overloads if name in REGISTRY else ()
        REGISTRY[name] = BuiltIn(name, (*before, overload))
        return run

    return register


def _formals(text: str) -> Iterator[Formal]:
    for part in filter(None, (p.strip() for p in text.split(","))):
        optional, variadic = part.startswith("["), "..." in part
        name, _, kind = part.strip("[].").partition(": ")
        yield Formal(name, _type(kind.removesuffix("?")), optional, variadic, kind.endswith("?"))


def _type(text: str) -> FeelType:
    if text == "T":
        return VARIABLE
    for head, build in (("list<", ListOf), ("range<", RangeOf)):
        if text.startswith(head):
            return build(_type(text[len(head) : -1]))
    return ANY if text == "any" else BY_NAME[text]
