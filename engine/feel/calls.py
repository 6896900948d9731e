"""Calling functions: which overload, which argument for which parameter, and the conversions on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, DecimalException
from typing import Any

from engine.feel.conformance import Mismatch, coerced, conforms
from engine.feel.functions import BuiltIn, Formal, Overload
from engine.feel.functions.signature import VARIABLE
from engine.feel.kinds import ANY, CONTEXT, FUNCTION, FeelType, ListOf
from engine.feel.limits import Meter, free
from engine.feel.values import FeelError, UserFunction, Value, brief, kind_of


def call(
    function: Value, arguments: Sequence[Value], named: Mapping[str, Value], spend: Meter = free
) -> Value:
    """Return what a function gives for arguments by position, or by name; raises FeelError if it cannot."""
    if isinstance(function, UserFunction):
        return _call_user(function, arguments, named)
    if isinstance(function, BuiltIn):
        return _call_built_in(function, arguments, named, spend)
    raise FeelError("not-a-function", f"{brief(function)} is a {kind_of(function)}, not a function")


def _call_user(function: UserFunction, arguments: Sequence[Value], named: Mapping[str, Value]) -> Value:
    names = [name for name, _ in function.parameters]
    if not set(named) <= set(names) or (not named and len(arguments) != len(names)):
        wanted = ", ".join(names)
        raise FeelError(
            "bad-argument", f"the function takes ({wanted}), not {len(arguments or named)} arguments"
        )
    given = named or dict(zip(names, arguments, strict=True))
    bound = {name: coerced(given.get(name), kind or ANY) for name, kind in function.parameters}
    return function.call(bound)


def _call_built_in(
    function: BuiltIn, arguments: Sequence[Value], named: Mapping[str, Value], spend: Meter
) -> Value:
    failure: FeelError | None = None
    for exact in (True, False):
        for overload in function.overloads:
            try:
                bound = bind(overload, arguments, named, exact=exact)
            except FeelError as error:
                failure = failure or error
                continue
            return _run(overload, bound, spend)
    raise failure or FeelError("bad-argument", f"`{function.name}` cannot be called")


def _run(overload: Overload, arguments: list[Any], spend: Meter) -> Value:
    meter = {"spend": spend} if overload.metered else {}
    try:
        result: Value = overload.run(*arguments, **meter)
    except (DecimalException, OverflowError) as error:
        raise FeelError("out-of-range", f"`{overload.name}` has no value: {type(error).__name__}") from None
    if isinstance(result, Decimal) and not result.is_finite():
        raise FeelError("out-of-range", f"`{overload.name}` gives no number")
    return result


def bind(
    overload: Overload, arguments: Sequence[Value], named: Mapping[str, Value], *, exact: bool
) -> list[Any]:
    """Return the arguments in the order of the parameters; raises FeelError if they do not fit."""
    if named:
        arguments = _by_name(overload, named)
    if not overload.takes(len(arguments)):
        raise FeelError("bad-argument", f"`{overload.line}` does not take {len(arguments)} arguments")
    return [
        _argument(overload, overload.formal(index), value, exact) for index, value in enumerate(arguments)
    ]


def _by_name(overload: Overload, named: Mapping[str, Value]) -> list[Value]:
    names = [formal.name for formal in overload.formals]
    for name in named:
        if name not in names:
            raise FeelError("bad-argument", f"`{overload.line}` has no parameter `{name}`")
    last = max(names.index(name) for name in named)
    for formal in overload.formals[:last]:
        if formal.name not in named and not formal.optional:
            raise FeelError("bad-argument", f"`{overload.line}` needs `{formal.name}`")
    return [named.get(name) for name in names[: last + 1]]


def _argument(overload: Overload, formal: Formal, value: Value, exact: bool) -> Any:
    kind = _known(formal.type)
    try:
        if exact and value is not None and not conforms(value, kind):
            raise Mismatch(value, kind)
        value = value if exact else coerced(value, kind)
    except Mismatch as error:
        raise FeelError("bad-argument", f"`{formal.name}` of `{overload.name}`: {error.why}") from None
    if value is None:  # given so, or the only item of a list that stands for its item
        if formal.nullable:
            return None
        raise FeelError("null-operand", f"`{formal.name}` of `{overload.name}` is null")
    if isinstance(value, list) and kind == ListOf(CONTEXT) and None in value:
        why = f"`{formal.name}` of `{overload.name}`: item {value.index(None) + 1} is null"
        raise FeelError("null-operand", why)
    if kind == FUNCTION:
        return lambda *given: call(value, given, {})
    return value


def arity(function: Value) -> int:
    """Return how many arguments a function takes at most; many for those that take any number."""
    if isinstance(function, UserFunction):
        return len(function.parameters)
    return 99


def _known(kind: FeelType) -> FeelType:
    if kind == VARIABLE:
        return ANY
    return ListOf(_known(kind.item)) if isinstance(kind, ListOf) else kind
