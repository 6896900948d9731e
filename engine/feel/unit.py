"""One generated function: its constants, its identifiers, and the pieces of code it is made of."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from engine.feel.kinds import DATE, DAYS_DURATION, MONTHS_DURATION, NUMBER, STRING, FeelType

ORDERED = (NUMBER, STRING, DATE, DAYS_DURATION, MONTHS_DURATION)
"""Types whose Python values compare as FEEL compares them."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A FEEL name in generated code: its identifier, type, and whether it may be null."""

    identifier: str
    kind: FeelType
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class Piece:
    """Generated code for a value, with what is known of it."""

    code: ast.expr
    kind: FeelType
    nullable: bool = True
    items: tuple[Piece, ...] = ()
    """Of a list that is written out: its items."""

    @property
    def exact(self) -> bool:
        """Tell whether Python's own comparison is FEEL's."""
        return not self.nullable and self.kind in ORDERED


Variables = Mapping[str, Variable]
"""By FEEL name; an output of a table may stand under its path: `terms.floor`."""


@dataclass(slots=True)
class Unit:
    """One generated function: its constants, and identifiers that no text can choose."""

    constants: dict[str, object] = field(default_factory=dict)
    interned: dict[tuple[type, object], str] = field(default_factory=dict)
    count: int = 0

    def fresh(self) -> str:
        """Return an unused identifier."""
        self.count += 1
        return f"v{self.count}"

    def constant(self, value: object) -> ast.expr:
        """Return code for a constant; equal numbers and texts share one."""
        if value is None or isinstance(value, bool):
            return ast.Constant(value)
        shared = isinstance(value, str | Decimal)
        key = (type(value), str(value) if shared else id(value))
        if key not in self.interned:
            self.interned[key] = f"k{len(self.constants)}"
            self.constants[self.interned[key]] = value
        return ast.Name(self.interned[key], ast.Load())

    def call(self, function: Callable[..., Any], *arguments: ast.expr) -> ast.expr:
        """Return code that calls a function of the engine."""
        return ast.Call(self.constant(function), list(arguments), [])

    def function(self, parameters: Sequence[str], body: Sequence[ast.stmt]) -> Callable[..., Any]:
        """Compile a function of generated parameters; it sees its constants and nothing else."""
        arguments = ast.arguments([], [ast.arg(p) for p in parameters], None, [], [], None, [])
        module = ast.Module([_definition("generated", arguments, list(body))], [])
        space: dict[str, Any] = {"__builtins__": {}, **self.constants}
        exec(compile(ast.fix_missing_locations(module), "<generated>", "exec"), space)
        made: Callable[..., Any] = space["generated"]
        return made


def _definition(name: str, arguments: ast.arguments, body: list[ast.stmt]) -> ast.FunctionDef:
    parts: dict[str, Any] = {"name": name, "args": arguments, "body": body, "decorator_list": []}
    if "type_params" in ast.FunctionDef._fields:  # Python 3.12 and later
        parts["type_params"] = []
    return ast.FunctionDef(**parts)
