"""Scorecards to statements: each characteristic is one lookup; points are added as whole numbers."""

from __future__ import annotations

import ast
from decimal import Decimal
from typing import Any

from engine.credit import generated
from engine.credit.generated import Loss
from engine.credit.lookups import nested
from engine.credit.model import Characteristic, Scorecard
from engine.credit.writing import Writing, assignment, looked_up, name_of, unpacking
from engine.feel import kinds
from engine.feel.to_python import Variable

EXACT = Decimal(10) ** 30
"""Sums below this, in the finest unit of the points, are the same in 34 digits and in whole numbers."""


def write_scorecard(writing: Writing, card: Scorecard) -> None:
    """Write a scorecard: its total becomes a variable, its ranked reason codes a list."""
    numbers = [card.base, *(bin_.points for part in card.characteristics for bin_ in part.bins)]
    decimals = max(0, *(-int(number.as_tuple().exponent) for number in numbers))
    if sum(abs(number.scaleb(decimals)) for number in numbers) >= EXACT:
        writing.body.append(writing.stuck())  # such a total may have to be rounded: the interpreter does it
    total: ast.expr = writing.unit.constant(_scaled(card.base, decimals))
    losses: list[ast.expr] = []
    for place, part in enumerate(card.characteristics):
        points, loss = _write_part(writing, card.name, part, place, decimals)
        total = ast.BinOp(total, ast.Add(), name_of(points))
        losses += [name_of(loss)] if loss else []
    if len(writing.sorted.get(card.name, ())) < len(card.characteristics):
        writing.sorted.pop(card.name, None)  # some bins have to be tried
    _name_total(writing, card, total, decimals)
    if losses:
        codes = writing.reasons[card.name] = writing.unit.fresh()
        writing.assign(codes, writing.unit.call(generated.ranked, *losses))


def _name_total(writing: Writing, card: Scorecard, total: ast.expr, decimals: int) -> None:
    whole, number = writing.unit.fresh(), writing.unit.fresh()
    writing.assign(whole, total)
    if decimals:
        code = writing.unit.call(generated.unscaled, name_of(whole), writing.unit.constant(decimals))
    else:
        code = writing.unit.call(Decimal, name_of(whole))
        writing.whole[card.name] = whole
    writing.assign_if_used(number, code)
    writing.variables[card.name] = Variable(number, kinds.NUMBER, False)


def _scaled(points: Decimal, decimals: int) -> int:
    return int(points.scaleb(decimals))


def _write_part(
    writing: Writing, card: str, part: Characteristic, place: int, decimals: int
) -> tuple[str, str]:
    """Return the identifiers of the points of a characteristic and, if it has reasons, of its loss."""
    outcomes = [_outcome(part, number, place, decimals) for number in range(len(part.bins))]
    with_reasons = any(short for _, short in outcomes)
    points, loss = writing.unit.fresh(), writing.unit.fresh() if with_reasons else ""
    cells = [[bin_.tests for bin_ in part.bins]]
    grid = writing.grid([part.expression], cells)
    columns = None if grid is None else writing.columns([part.expression], grid)
    if columns is not None:
        writing.sorted.setdefault(card, []).append(columns[0].sorting)
    if columns is None:
        _search_bins(writing, part, outcomes, points, loss)
        return points, loss

    def leaf(left: int) -> Any:  # more than one bin, or none: None
        if not left or left & (left - 1):
            return None
        outcome = outcomes[left.bit_length() - 1]
        return outcome if with_reasons else outcome[0]

    root = nested(columns, len(part.bins), leaf)
    found = looked_up(root, columns, writing.unit)
    if None in (root if columns[0].slot is not None else (root,)):
        kept = writing.unit.fresh()
        writing.assign(kept, found)
        absent = ast.Compare(name_of(kept), [ast.Is()], [ast.Constant(None)])
        writing.body.append(ast.If(absent, [writing.stuck()], []))
        found = name_of(kept)
    writing.body.append(unpacking([points, loss], found) if with_reasons else assignment(points, found))
    return points, loss


def _outcome(part: Characteristic, number: int, place: int, decimals: int) -> tuple[int, Loss | None]:
    bin_ = part.bins[number]
    short = _scaled(bin_.points - part.best, decimals)
    return _scaled(bin_.points, decimals), (short, place, bin_.reason) if bin_.reason and short else None


def _search_bins(
    writing: Writing,
    part: Characteristic,
    outcomes: list[tuple[int, Loss | None]],
    points: str,
    loss: str,
) -> None:
    """Cells that are no literals are tried one after the other, all of them: two hits are an error."""
    held = writing.held(part.expression)
    hits = [writing.condition([bin_.tests], [held]) for bin_ in part.bins]
    once = writing.unit.call(generated.only_one, ast.Tuple(hits, ast.Load()))
    search: list[ast.stmt] = [ast.Expr(once)]
    for bin_, (earned, short) in zip(part.bins, outcomes, strict=True):
        taken = [assignment(points, writing.unit.constant(earned))]
        if loss:
            taken.append(assignment(loss, writing.unit.constant(short)))
        taken.append(ast.Break())
        search.append(ast.If(writing.condition([bin_.tests], [held]), taken, []))
    search += [writing.stuck(), ast.Break()]
    writing.body.append(ast.While(ast.Constant(True), search, []))
