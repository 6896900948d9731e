"""Rows that overlap, customers without a row, rows that nobody reaches, bounds that look forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import islice

from engine.credit import analysis
from engine.credit.analysis import Grid, TooLarge
from engine.credit.domains import Domain, Numbers, domain_of
from engine.credit.grids import grid_of
from engine.credit.model import (
    CreditPolicy,
    DecisionTable,
    Expression,
    HitPolicy,
    Rule,
    Scorecard,
    Tests,
)
from engine.credit.policy_reader import PolicyReader
from engine.credit.reach import Reach, gaps, reached
from engine.feel import kinds, syntax
from engine.feel.kinds import FeelType
from engine.feel.values import Value, show
from engine.source import Problem, Severity, Span

SHOWN = 5
"""Overlaps that are told of one table; the rest is counted."""
COUNTED = 1000
"""Overlaps at which counting ends."""
Kinds = Mapping[str, FeelType]


def check_table(reader: PolicyReader, policy: CreditPolicy, table: DecisionTable, kinds_: Kinds) -> None:
    """Analyse a decision table."""
    what = f"table `{table.name}`"
    columns = [[rule.tests[c] for rule in table.rules] for c in range(len(table.inputs))]
    for heading, cells in zip(table.inputs, columns, strict=True):
        _check_thresholds(reader, policy, heading, cells)
    grid = _grid(reader, policy, table.inputs, columns, kinds_, what)
    if grid is None:
        return
    domains = [domain_of(policy, heading, kinds.ANY) for heading in table.inputs]
    _note_empty(reader, grid, [rule.tests for rule in table.rules], table.inputs, domains)
    if table.hit in (HitPolicy.UNIQUE, HitPolicy.ANY):
        _note_overlaps(reader, grid, table, what)
    if table.hit is HitPolicy.FIRST:
        _note_hidden(reader, grid, table)
    elif not table.hit.single:
        _note_twice(reader, table)
    lists = table.hit.lists or table.hit is HitPolicy.COLLECT_COUNT
    if not lists and table.otherwise is None and policy.when_no_row is None:
        advice = "add a row: {row}, or write `otherwise:`, or `when_no_row:` for the whole policy"
        _note_gap(reader, grid, table.inputs, what, table.span, advice)


def check_scorecard(reader: PolicyReader, policy: CreditPolicy, card: Scorecard, kinds_: Kinds) -> None:
    """Analyse the bins of each characteristic of a scorecard."""
    for part in card.characteristics:
        heading, cells = part.expression, [bin_.tests for bin_ in part.bins]
        what = f"`{heading.text}` in scorecard `{card.name}`"
        _check_thresholds(reader, policy, heading, cells)
        grid = _grid(reader, policy, (heading,), [cells], kinds_, what)
        if grid is None:
            continue
        domain = domain_of(policy, heading, kinds.ANY)
        _note_empty(reader, grid, [(tests,) for tests in cells], (heading,), [domain])
        for first, second, shared in islice(analysis.overlaps(grid), SHOWN):
            _note_overlap(
                reader, what, (heading,), part.bins[first].span, part.bins[second].span, grid, shared
            )
        if policy.when_no_row is None:
            _note_gap(reader, grid, (heading,), what, heading.span, "add a bin: {row}")


def _grid(
    reader: PolicyReader,
    policy: CreditPolicy,
    headings: tuple[Expression, ...],
    columns: list[list[Tests]],
    kinds_: Kinds,
    what: str,
) -> Grid | None:
    """Return the table as sets of pieces; None, after saying so, if some cell cannot be analysed."""
    grid = grid_of(policy, headings, columns, kinds_)
    if isinstance(grid, Grid):
        return grid
    if isinstance(grid, TooLarge):
        _note_too_large(reader, what, headings[0].span, "overlaps, gaps and rows that nobody reaches")
        return None
    message = f"{what} is not analysed for overlaps and gaps, because of `{grid.text}`"
    reader.take([Problem("table-not-analysed", message, grid.span, severity=Severity.INFO)])
    return None


def _note_empty(
    reader: PolicyReader, grid: Grid, rows: list[tuple[Tests, ...]], headings: Sequence[Expression],
    domains: Sequence[Domain],
) -> None:  # fmt: skip
    for row, column in analysis.empty(grid):
        cell = rows[row][column]
        message = f"no value can match `{cell.text}`"
        advice = _can_be(headings[column].text, domains[column])
        if any(map(_reversed, cell.node.tests)):
            advice = f"the lower bound stands first: `{_turned(cell.text)}`"
        reader.warn("cell-never-matches", message, cell.span, advice)


def _can_be(heading: str, domain: Domain) -> str:
    """Return the advice on a cell that nothing matches: what stands there instead."""
    if isinstance(domain, Numbers) and not (domain.low is None and domain.high is None):
        said = f"{domain.low} to {domain.high}"
        if domain.low is None or domain.high is None:
            said = f"{domain.low} or more" if domain.high is None else f"{domain.high} or less"
        return f"`{heading}` is {said}: write a test within that, or remove the row"
    return "compare it with the bounds of the fact, and with what the decision above can give"


def _turned(text: str) -> str:
    return re.sub(r"(-?[\d.]*\d)\s*\.\.\s*(-?\d[\d.]*)", r"\2..\1", text)


def _reversed(test: syntax.Node) -> bool:
    match test:
        case syntax.RangeLiteral(syntax.Number(low), syntax.Number(high)):
            return low > high
    return False


def _note_overlaps(reader: PolicyReader, grid: Grid, table: DecisionTable, what: str) -> None:
    told = 0
    try:
        for first, second, shared in analysis.overlaps(grid):
            one, other = table.rules[first], table.rules[second]
            if table.hit is HitPolicy.ANY and _same_results(one, other):
                continue
            told += 1
            if told == COUNTED:
                break
            if told <= SHOWN:
                _note_overlap(
                    reader, what, table.inputs, one.span, other.span, grid, shared, _twice(one, other)
                )
    except TooLarge:
        _note_too_large(reader, what, table.span, "overlaps")
    if told > SHOWN:
        more = f"at least {told - SHOWN}" if told == COUNTED else f"{told - SHOWN}"
        message = f"{what} has {more} more pairs of rows that overlap"
        reader.error("rows-overlap", message, table.span)


def _twice(one: Rule, other: Rule) -> str:
    """Return the advice on two rows of the same cells; empty for others."""
    if not _same_tests(one, other):
        return ""
    if _same_results(one, other):
        return "the same row stands there twice: remove one of the two"
    return "the two have the same cells and say different things: remove the one that is wrong"


def _same_results(one: Rule, other: Rule) -> bool:
    return [result.node for result in one.results] == [result.node for result in other.results]


def _note_overlap(
    reader: PolicyReader,
    what: str,
    headings: tuple[Expression, ...],
    first: Span,
    second: Span,
    grid: Grid,
    shared: list[int],
    twice: str = "",
) -> None:
    example = _example(headings, grid.example(shared))
    message = f"{second.cell} of {what} overlaps {first.cell}: both match {example}"
    advice = twice or "narrow one of the two; if the order of rows shall decide, write `hit: FIRST`"
    if what.startswith("`"):
        advice = "narrow one of the two: exactly one bin of a characteristic may match"
    reader.error("rows-overlap", message, second, advice, ((f"{first.cell} stands here", first),))


def _note_hidden(reader: PolicyReader, grid: Grid, table: DecisionTable) -> None:
    undecided = []
    for found in reached(grid):
        rule = table.rules[found.row]
        if not found.decided:
            undecided.append(rule)
        elif found.hidden:
            _note_never_reached(reader, table, rule, found)
    for rule in undecided[:COUNTED]:
        message = f"{rule.span.cell} of table `{table.name}` may never be reached: it was not decided in time"
        advice = (
            "earlier rows touch it in too many combinations; fewer or simpler rows above it can be decided"
        )
        reader.take([Problem("row-undecided", message, rule.span, advice, Severity.INFO)])


def _note_never_reached(reader: PolicyReader, table: DecisionTable, rule: Rule, found: Reach) -> None:
    by = [table.rules[row] for row in found.by]
    related = tuple((f"{one.span.cell} stands here", one.span) for one in by[:SHOWN])
    advice = "move it above that row, or remove it"
    if len(by) == 1:
        message = f"{rule.span.cell} is never reached: {by[0].span.cell} matches whatever it matches"
        if _same_tests(rule, by[0]):
            message = f"{rule.span.cell} is never reached: {by[0].span.cell} has the same cells"
            same = _same_results(rule, by[0])
            advice = "remove it" if same else "the two say different things: remove the one that is wrong"
    else:
        names = [one.span.cell.removeprefix("row ") for one in by]
        listed = f"{', '.join(names[:-1])} and {names[-1]}"
        if len(names) > SHOWN:
            listed = f"{', '.join(names[:SHOWN])} and {len(names) - SHOWN} more"
        message = f"{rule.span.cell} is never reached: rows {listed} together match whatever it matches"
        advice = "move it above one of those rows, or remove it"
    reader.warn("row-hidden", message, rule.span, advice, related)


def _note_twice(reader: PolicyReader, table: DecisionTable) -> None:
    """Warn of rows that stand there twice where all rows that match count."""
    seen: dict[object, Rule] = {}
    for rule in table.rules:
        first = seen.setdefault((_nodes(rule.tests), _nodes(rule.results)), rule)
        if first is not rule:
            message = f"{rule.span.cell} of table `{table.name}` is {first.span.cell} once more: both count"
            related = ((f"{first.span.cell} stands here", first.span),)
            reader.warn("row-twice", message, rule.span, "remove one of the two", related)


def _nodes(parts: Iterable[Tests | Expression]) -> tuple[syntax.Node | syntax.UnaryTests, ...]:
    return tuple(part.node for part in parts)


def _same_tests(one: Rule, other: Rule) -> bool:
    return _nodes(one.tests) == _nodes(other.tests)


def _note_gap(
    reader: PolicyReader, grid: Grid, headings: tuple[Expression, ...], what: str, span: Span, advice: str
) -> None:
    rows = "bin" if what.startswith("`") else "row"
    found = []
    try:
        for box in gaps(grid, SHOWN + 1):
            found.append(box)
    except TooLarge:
        _note_too_large(reader, what, span, "gaps")
    for wide, customer in found[:SHOWN]:
        message = f"no {rows} of {what} matches {_example(headings, grid.example(customer))}"
        cells = " | ".join(axis.cell(pieces) for axis, pieces in zip(grid.axes, wide, strict=True))
        row = f"`| {cells} || ... |`" if rows == "row" else f"`| {headings[0].text} | {cells} || ... |`"
        reader.warn("row-missing", message, span, advice.replace("{row}", row))
    if len(found) > SHOWN:
        message = f"{what} has more customers without a {rows}"
        reader.warn("row-missing", message, span, "add these rows first")


def _note_too_large(reader: PolicyReader, what: str, span: Span, undecided: str) -> None:
    message = f"{what} has too many combinations to look at all of them for {undecided}"
    advice = "what was not found here may still be there; smaller tables can be looked at whole"
    reader.take([Problem("table-not-analysed", message, span, advice, Severity.INFO)])


def _example(headings: tuple[Expression, ...], values: list[Value]) -> str:
    return ", ".join(f"{h.text} {show(v)}" for h, v in zip(headings, values, strict=True))


def _check_thresholds(
    reader: PolicyReader, policy: CreditPolicy, heading: Expression, cells: list[Tests]
) -> None:
    """Warn of a bare number where an order was probably meant: `30` matches 30 and nothing else."""
    domain = domain_of(policy, heading, kinds.ANY)
    if not isinstance(domain, Numbers) or not isinstance(heading.node, syntax.Name):
        return
    ends = _ends(cells)
    compares = any(isinstance(t, syntax.UnaryComparison) for cell in cells for t in cell.node.tests)
    for cell in cells:
        for test in cell.node.tests:
            if not isinstance(test, syntax.Number):
                continue
            number = test.value
            at_bound = number in (domain.low, domain.high)
            stands_alone = domain.whole and compares and not ({number - 1, number + 1} & ends)
            if not at_bound and (not domain.whole or stands_alone):
                message = f"`{cell.text}` matches exactly {number} and nothing else"
                meant = _to_next(number, [other for other in cells if other is not cell])
                advice = f"write `{meant}` if more shall match, or `[{number}..{number}]` if not"
                reader.warn("bare-threshold", message, cell.span, advice)


def _to_next(number: Decimal, others: list[Tests]) -> str:
    """Return what a bare number probably meant: all from the number before it to the number behind it."""
    edges = sorted(edge for cell in others for edge in _edges(cell))
    behind = next((edge for edge in edges if edge[0] > number), None)
    if behind is None:
        return f">= {number}"
    before = next((edge for edge in reversed(edges) if edge[0] < number), None)
    low = f"[{number}" if before is None else f"{'(' if before[1] else '['}{before[0]}"
    return f"{low}..{behind[0]}{')' if behind[1] else ']'}"


def _edges(cell: Tests) -> Iterator[tuple[Decimal, bool]]:
    """Yield the numbers at which a cell begins or ends, and whether each belongs to it."""
    for test in cell.node.tests:
        match test:
            case syntax.Number(value):
                yield value, True
            case syntax.RangeLiteral(syntax.Number(low), syntax.Number(high), low_closed, high_closed):
                yield low, low_closed
                yield high, high_closed
            case syntax.UnaryComparison(operator, syntax.Number(value)):
                yield value, "=" in operator


def _ends(cells: list[Tests]) -> set[object]:
    """Return the numbers at which the cells of a column begin, end or stand."""
    ends: set[object] = set()
    for cell in cells:
        for test in cell.node.tests:
            match test:
                case syntax.Number(value):
                    ends.add(value)
                case syntax.RangeLiteral(syntax.Number(low), syntax.Number(high), low_closed, high_closed):
                    ends |= {low if low_closed else low + 1, high if high_closed else high - 1}
                case syntax.UnaryComparison(operator, syntax.Number(value)):
                    ends.add({">": value + 1, "<": value - 1}.get(operator, value))
    return ends
