"""Built-ins on lists (DMN 1.5, 10.3.4.4)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from decimal import Decimal
from functools import cmp_to_key
from typing import TypeVar

from engine.feel.decimals import CONTEXT
from engine.feel.functions.arithmetic import position as counted
from engine.feel.functions.arithmetic import whole
from engine.feel.functions.signature import function
from engine.feel.limits import LIMITS
from engine.feel.operators import arithmetic, compare, compared, identity, same
from engine.feel.values import FeelError, Value, brief, kind_of

Items = list[Value]
A = TypeVar("A")


def spread(declaration: str) -> Callable[[Callable[[Items], A]], Callable[[Items], A]]:
    """Register a function of one list also as a function of its items: `min([a, b])`, `min(a, b)`."""

    def register(run: Callable[[Items], A]) -> Callable[[Items], A]:
        name, result = declaration.split(" -> ")
        name, _, item = name.partition(" of ")
        function(f"{name}(list: list<{item}>) -> {result}")(run)
        function(f"{name}(...c: {item}?) -> {result}")(lambda *items: run(list(items)))
        return run

    return register


# --- the least, the sum, the usual ----------------------------------------------------------------


@spread("min of T -> T?")
def minimum(items: Items) -> Value:
    """Return the least item; null for none."""
    return _extreme(items, "<")


@spread("max of T -> T?")
def maximum(items: Items) -> Value:
    """Return the greatest item; null for none."""
    return _extreme(items, ">")


def _extreme(items: Items, operator: str) -> Value:
    if not items:
        return None
    best = items[0]
    compare("<=", best, best)  # a single item must have an order too
    for item in items[1:]:
        if compare(operator, item, best):
            best = item
    return best


@spread("sum of T -> T?")
def total(items: Items) -> Value:
    """Return the sum; null for an empty list."""
    return _fold("+", items)


@spread("product of number -> number?")
def product(items: Items) -> Value:
    """Return the product; null for an empty list."""
    _numbers(items)
    return _fold("*", items)


def _fold(operator: str, items: Items) -> Value:
    if not items:
        return None
    result = items[0]
    if operator == "+" and not isinstance(result, str):
        arithmetic("+", result, result) if len(items) == 1 else None  # a single item must be of a kind to add
    if isinstance(result, str):
        raise FeelError("bad-argument", "texts have no sum")
    for item in items[1:]:
        result = arithmetic(operator, result, item)
    return result


def _numbers(items: Items) -> list[Decimal]:
    for index, item in enumerate(items):
        if not isinstance(item, Decimal):
            raise FeelError("bad-argument", f"item {index + 1} is {brief(item)}, not a number")
    return items  # type: ignore[return-value]  # just checked


@spread("mean of T -> T?")
def mean(items: Items) -> Value:
    """Return the sum divided by the count; null for an empty list."""
    return arithmetic("/", total(items), Decimal(len(items))) if items else None


@spread("median of number -> number?")
def median(items: Items) -> Value:
    """Return the middle one, or the mean of the middle two; null for an empty list."""
    ordered = sorted(_numbers(items))
    middle = len(ordered) // 2
    if not ordered:
        return None
    if len(ordered) % 2:
        return ordered[middle]
    return CONTEXT.divide(CONTEXT.add(ordered[middle - 1], ordered[middle]), Decimal(2))


@spread("stddev of number -> number?")
def stddev(items: Items) -> Value:
    """Return the standard deviation of a sample; null for fewer than two."""
    numbers = _numbers(items)
    if len(numbers) < 2:
        return None
    average = mean(items)
    squares: Items = [arithmetic("**", arithmetic("-", n, average), Decimal(2)) for n in numbers]
    variance = arithmetic("/", total(squares), Decimal(len(numbers) - 1))
    return CONTEXT.sqrt(variance) if isinstance(variance, Decimal) else None


@spread("mode of number -> list<number>")
def mode(items: Items) -> Value:
    """Return the numbers that occur most often, ascending."""
    counts: dict[Decimal, int] = {}
    for number in _numbers(items):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values(), default=0)
    usual: Items = [n for n, times in counts.items() if times == most]
    return sort(usual)


@function("count(list: list<any>) -> number")
def count(items: Items) -> Value:
    """Return how many items there are."""
    return Decimal(len(items))


# --- truth ----------------------------------------------------------------------------------------


@spread("all of any -> boolean?")
def all_of(items: Items) -> Value:
    """Return false if any item is false, else true if all are, else null."""
    if any(item is False for item in items):
        return False
    return _truths(items) or None


@spread("any of any -> boolean?")
def any_of(items: Items) -> Value:
    """Return true if any item is true, else false if all are false, else null."""
    if any(item is True for item in items):
        return True
    return False if _truths(items) else None


def _truths(items: Items) -> bool:
    for index, item in enumerate(items):
        if not isinstance(item, bool):
            raise FeelError("bad-argument", f"item {index + 1} is {brief(item)}, not true or false")
    return True


# --- parts and changes ----------------------------------------------------------------------------


@function("list contains(list: list<any>, element: any?) -> boolean")
def list_contains(items: Items, element: Value) -> bool:
    """Tell whether the list has such an item, null included."""
    return any(same(item, element) for item in items)


@function("sublist(list: list<T>, start position: number, [length: number]) -> list<T>")
def sublist(items: Items, start_position: Decimal, length: Decimal | None = None) -> Items:
    """Return a part of a list, counted from 1, or from -1 at the end."""
    start = index_from(items, start_position, "start position")
    if length is None:
        return items[start:]
    size = counted(length, "length")
    if size < 0 or start + size > len(items):
        raise FeelError("bad-argument", f"there are no {size} items from position {start_position} on")
    return items[start : start + size]


def index_from(items: Items, position: Decimal, name: str = "position") -> int:
    """Return the index from 0 of a position from 1, or from -1 at the end."""
    place = counted(position, name)
    if place == 0 or abs(place) > len(items):
        raise FeelError("bad-argument", f"`{name}` is {place}, but the list has {len(items)} items")
    return place - 1 if place > 0 else len(items) + place


@function("append(list: list<T>, ...item: T?) -> list<T>")
def append(items: Items, *more: Value) -> Items:
    """Return the list with items at its end."""
    return bounded([*items, *more])


@function("concatenate(...list: list<T>) -> list<T>")
def concatenate(*lists: Items) -> Items:
    """Return the lists one behind the other."""
    return bounded([item for items in lists for item in items])


@function("insert before(list: list<T>, position: number, newItem: T?) -> list<T>")
def insert_before(items: Items, position: Decimal, new_item: Value) -> Items:
    """Return the list with an item before a position."""
    index = index_from(items, position)
    return bounded([*items[:index], new_item, *items[index:]])


@function("remove(list: list<T>, position: number) -> list<T>")
def remove(items: Items, position: Decimal) -> Items:
    """Return the list without the item at a position."""
    index = index_from(items, position)
    return [*items[:index], *items[index + 1 :]]


@function("list replace(list: list<T>, position: number, newItem: T?) -> list<T>")
def list_replace(items: Items, position: Decimal, new_item: Value) -> Items:
    """Return the list with another item at a position."""
    index = index_from(items, position)
    return [*items[:index], new_item, *items[index + 1 :]]


@function("list replace(list: list<T>, match: function, newItem: T?) -> list<T>")
def list_replace_where(items: Items, match: Callable[..., Value], new_item: Value) -> Items:
    """Return the list with another item wherever `match(item, newItem)` is true."""
    return [new_item if is_true(match(item, new_item)) else item for item in items]


def is_true(answer: Value) -> bool:
    """Return the answer of a function that has to say true or false."""
    if not isinstance(answer, bool):
        raise FeelError("bad-argument", f"the function gave {brief(answer)}, not true or false")
    return answer


@function("reverse(list: list<T>) -> list<T>")
def reverse(items: Items) -> Items:
    """Return the list from its end."""
    return items[::-1]


@function("index of(list: list<any>, match: any?) -> list<number>")
def index_of(items: Items, match: Value) -> Items:
    """Return the positions, from 1, of the items equal to a value."""
    return [Decimal(i) for i, item in enumerate(items, 1) if same(item, match)]


@function("union(...list: list<T>) -> list<T>")
def union(*lists: Items) -> Items:
    """Return the items of all lists, each once."""
    return distinct_values(concatenate(*lists))


@function("distinct values(list: list<T>) -> list<T>")
def distinct_values(items: Items) -> Items:
    """Return the items, each once, in the order of their first places."""
    found: dict[Hashable, Value] = {}
    for item in items:
        found.setdefault(identity(item), item)
    return list(found.values())


@function("duplicate values(list: list<T>) -> list<T>")
def duplicate_values(items: Items) -> Items:
    """Return the items that occur more than once, each once, in the order of their first places."""
    counts = Counter(map(identity, items))
    return [item for item in distinct_values(items) if counts[identity(item)] > 1]


@function("flatten(list: list<any>) -> list<any>")
def flatten(items: Items) -> Items:
    """Return the items of a list and of the lists in it."""
    found: Items = []
    stack = list(reversed(items))
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(reversed(item))
        else:
            found.append(item)
    return found


@function("sort(list: list<T>, [precedes: function]) -> list<T>")
def sort(items: Items, precedes: Callable[..., Value] | None = None) -> Items:
    """Return the list in order, by `precedes(a, b)` if it is given; equal items keep their order."""
    if precedes is None:
        return sorted(items, key=cmp_to_key(_ordered))
    before = precedes
    return sorted(items, key=cmp_to_key(lambda a, b: -1 if is_true(before(a, b)) else is_true(before(b, a))))


def _ordered(left: Value, right: Value) -> int:
    order = compared(left, right)
    if order is None:
        raise FeelError("wrong-types", f"{kind_of(left)} and {kind_of(right)} have no order")
    return order


@function("partition(list: list<T>, size: number) -> list<list<T>>")
def partition(items: Items, size: Decimal) -> Items:
    """Return the list cut into lists of a size; the last may be shorter."""
    step = whole(size, "size")
    if step < 1:
        raise FeelError("bad-argument", f"`size` is {step}, not at least 1")
    return [items[i : i + step] for i in range(0, len(items), step)]


def bounded(items: Items) -> Items:
    """Return a list that is not too long; raises FeelError otherwise."""
    if len(items) > LIMITS.items:
        raise FeelError("limit", f"a list has {len(items)} items, more than {LIMITS.items} (limit `items`)")
    return items
