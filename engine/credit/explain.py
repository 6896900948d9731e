"""The whole trace of a decision, from the values of all names: what the interpreter notes, much faster.

The compiled policy has found the values; this file says of every row why it matched or did not. How a
column sorts values is known (see `lookups.py`), so no cell is tried again: the sorts of a customer's
values say which cell of each row is the first that fails, and what is said of that cell and value is
remembered. A decision whose cells have to be tried is given to the interpreter.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from engine.credit.decision import DecisionTrace, RowTrace
from engine.credit.interpret import decision_trace, evaluated, traced_alone
from engine.credit.lookups import Sorting
from engine.credit.model import (
    Bin,
    Characteristic,
    CreditPolicy,
    DecisionTable,
    Expression,
    FactKind,
    Formula,
    HitPolicy,
    Rule,
    Scorecard,
)
from engine.credit.values import traced
from engine.credit.words import complaint, said_of
from engine.feel import syntax
from engine.feel.values import Value, to_feel

KEPT = 20_000
"""Notes of rows that a column, and that a table, remembers at most."""

_AS_THEY_ARE = (str, bool, type(None))

Scope = Mapping[str, Value]
Pattern = tuple[tuple[int, int], ...]
"""(row, first column that fails, or -1 if the row matches), as far as rows were looked at."""


Known = tuple[int | None, list[RowTrace | None], str]
"""The sort of a value, what was said of it by row, and how all of that begins."""


Earned = tuple[list[RowTrace], tuple[str, Decimal]]
"""The note of each bin of a characteristic; its heading, and the points of the bin that matches."""


class _Column:
    """One column with what was said of its cells; forgets all of it when it knows too much."""

    def __init__(
        self, heading: Expression, rows: Sequence[Rule] | Sequence[Bin], place: int, sorting: Sorting
    ) -> None:
        self.heading, self.rows, self.place, self.sorting = heading, rows, place, sorting
        self.name = heading.node.name if isinstance(heading.node, syntax.Name) else None
        """The name that the heading is, if it is no more than that."""
        self.known: dict[Value, Known] = {}
        self.complaints: dict[tuple[int, bool], str] = {}

    def value(self, decision: str, scope: Scope) -> Value:
        """Return what the heading is worth."""
        match self.heading.node:
            case syntax.Call(syntax.Name("count"), (syntax.Name(name),), ()) if isinstance(
                items := scope.get(name), list
            ):
                return Decimal(len(items))
        return evaluated(decision, self.heading, scope)

    def learn(self, value: Value) -> Known:
        """Return the sort of a value that was not seen before."""
        sort = self.sorting.sort_of(value)
        known: Known = sort, [None] * len(self.rows), said_of(self.heading.text, value)
        if sort is not None:
            if (len(self.known) + 1) * len(self.rows) > KEPT:
                self.known.clear()
            self.known[value] = known
        return known

    def miss(self, place: int, said: str, *, of_null: bool) -> RowTrace:
        """Return the note of a row whose cell in this column fails."""
        row, key = self.rows[place], (place, of_null)
        if key not in self.complaints:
            tests = row.tests[self.place] if isinstance(row, Rule) else row.tests
            self.complaints[key] = complaint(tests, of_null=of_null)
        because = said + self.complaints[key]
        return RowTrace(row=row.number, line=row.line, matched=False, because=because)


class _Rows:
    """The rows of a table, or the bins of a characteristic, and how each came out."""

    def __init__(
        self, columns: Sequence[_Column], rows: Sequence[Rule] | Sequence[Bin], *, first: bool
    ) -> None:
        self.columns, self.rows, self.first = columns, rows, first
        self.patterns: dict[tuple[int | None, ...], Pattern] = {}
        self.hits: list[RowTrace | None] = [None] * len(rows)
        self.traces: dict[tuple[Hashable, ...], DecisionTrace] = {}

    def notes(self, decision: str, scope: Scope) -> list[RowTrace] | None:
        """Return the note of each row; None if a value is of no sort that a column knows."""
        values = [scope[name] if (name := c.name) else c.value(decision, scope) for c in self.columns]
        known = [c.known.get(v) or c.learn(v) for c, v in zip(self.columns, values, strict=True)]
        sorts = tuple([sort for sort, _, _ in known])
        pattern = self.patterns.get(sorts) or self.pattern(sorts)
        if not pattern:
            return None
        known.append((None, self.hits, ""))  # what is said of rows that match stands at -1
        said = [notes for _, notes, _ in known]
        return [said[place][row] or self.note(known[place], row, place, values) for row, place in pattern]

    def note(self, known: Known, row: int, place: int, values: Sequence[Value]) -> RowTrace:
        """Return a note that was not made before."""
        if place < 0:
            note = RowTrace(row=self.rows[row].number, line=self.rows[row].line, matched=True, because="")
        else:
            note = self.columns[place].miss(row, known[2], of_null=values[place] is None)
        known[1][row] = note
        return note

    def pattern(self, sorts: tuple[int | None, ...]) -> Pattern:
        """Return the first cell that fails, by row; nothing if a value is of no sort."""
        known = [sort for sort in sorts if sort is not None]
        if len(known) < len(sorts):
            return ()
        if (len(self.patterns) + 1) * len(self.rows) > KEPT:
            self.patterns.clear()
        self.patterns[sorts] = tuple(self._pattern(known))
        return self.patterns[sorts]

    def _pattern(self, sorts: Sequence[int]) -> list[tuple[int, int]]:
        covers = [column.sorting.covers[sort] for column, sort in zip(self.columns, sorts, strict=True)]
        found = []
        for row in range(len(self.rows)):
            place = next((at for at, cover in enumerate(covers) if not cover >> row & 1), -1)
            found.append((row, place))
            if place < 0 and self.first:
                break
        return found


class _Bins:
    """The bins of a characteristic: one column, so that all is known with its value."""

    def __init__(self, part: Characteristic, sorting: Sorting) -> None:
        self.part, self.column = part, _Column(part.expression, part.bins, 0, sorting)
        self.hits = [RowTrace(row=b.number, line=b.line, matched=True, because="") for b in part.bins]
        self.earned: dict[Value, Earned] = {}

    def found(self, decision: str, scope: Scope) -> Earned | None:
        """Return the note of each bin, and the heading with the points of the one that matches."""
        column = self.column
        value = scope[column.name] if column.name else column.value(decision, scope)
        earned = self.earned.get(value)
        if earned is None and (sort := column.sorting.sort_of(value)) is not None:
            if (len(self.earned) + 1) * len(self.hits) > KEPT:
                self.earned.clear()
            earned = self.earned[value] = self._earned(value, column.sorting.covers[sort])
        return earned

    def _earned(self, value: Value, cover: int) -> Earned:
        said, of_null = said_of(self.column.heading.text, value), value is None
        notes = [
            hit if cover >> place & 1 else self.column.miss(place, said, of_null=of_null)
            for place, hit in enumerate(self.hits)
        ]
        points = next(bin_.points for place, bin_ in enumerate(self.part.bins) if cover >> place & 1)
        return notes, (self.part.expression.text, points)


class Explainer:
    """Writes traces of one policy."""

    def __init__(self, policy: CreditPolicy, sortings: Mapping[str, Sequence[Sorting]]) -> None:
        self.policy = policy
        known = policy.facts.keys() | policy.decisions.keys()
        self.reads = {name: [r for r in policy.reads[name] if r in known] for name in policy.order}
        """By decision: the facts and decisions that it reads."""
        fine = {
            name for name, fact in policy.facts.items() if fact.kind in (FactKind.DECIMAL, FactKind.MONEY)
        }
        fine |= {name for name, decision in policy.decisions.items() if isinstance(decision, Formula)}
        self.fine = {name for name, reads in self.reads.items() if not fine.isdisjoint(reads)}
        """The decisions that read amounts and the like: hardly two customers have the same."""
        self.tables: dict[str, _Rows] = {}
        self.cards: dict[str, list[_Bins]] = {}
        for name, found in sortings.items():
            decision = policy.decisions[name]
            if isinstance(decision, DecisionTable):
                columns = [
                    _Column(heading, decision.rules, place, sorting)
                    for place, (heading, sorting) in enumerate(zip(decision.inputs, found, strict=True))
                ]
                first = decision.hit is HitPolicy.FIRST
                self.tables[name] = _Rows(columns, decision.rules, first=first)
            elif isinstance(decision, Scorecard):
                pairs = zip(decision.characteristics, found, strict=True)
                self.cards[name] = [_Bins(part, sorting) for part, sorting in pairs]

    def explain(self, facts: Mapping[str, Any], decisions: Sequence[Value]) -> tuple[DecisionTrace, ...]:
        """Return how each decision came to its value; values are in the policy's order, facts admitted."""
        scope: dict[str, Value] = {}
        shown: dict[str, object] = {}
        for name, given in facts.items():
            kind = type(given)
            if kind in _AS_THEY_ARE:
                scope[name] = shown[name] = given
            elif kind is int:
                scope[name] = shown[name] = Decimal(given)
            else:
                scope[name] = value = to_feel(given)
                shown[name] = _plain(value)
        traces = []
        for name, value in zip(self.policy.order, decisions, strict=True):
            trace = self._trace(name, scope, value, shown)
            scope[name], shown[name] = value, trace.value
            traces.append(trace)
        return tuple(traces)

    def _trace(self, name: str, scope: Scope, value: Value, shown: Mapping[str, object]) -> DecisionTrace:
        if name in self.tables:
            return self._of_table(name, scope, value, shown)
        points: list[tuple[str, Decimal]] = []
        rows: list[RowTrace] = []
        if name in self.cards:
            earned = [found for bins in self.cards[name] if (found := bins.found(name, scope))]
            if len(earned) < len(self.cards[name]):
                return traced_alone(self.policy, name, scope)
            for notes, pair in earned:
                rows += notes
                points.append(pair)
        elif not isinstance(self.policy.decisions[name], Formula):
            return traced_alone(self.policy, name, scope)
        return self._written(name, value, rows, shown, points)

    def _of_table(self, name: str, scope: Scope, value: Value, shown: Mapping[str, object]) -> DecisionTrace:
        """Return the trace of a table; it is the same whenever the names that it reads are worth the same."""
        table = self.tables[name]
        key = None if name in self.fine else tuple([_key(scope[read]) for read in self.reads[name]])
        found = None if key is None else table.traces.get(key)
        if found is not None:
            return found
        rows = table.notes(name, scope)
        if rows is None:
            return traced_alone(self.policy, name, scope)
        found = self._written(name, value, rows, shown, [])
        if key is not None:
            if (len(table.traces) + 1) * len(table.rows) > KEPT:
                table.traces.clear()
            table.traces[key] = found
        return found

    def _written(
        self,
        name: str,
        value: Value,
        rows: list[RowTrace],
        shown: Mapping[str, object],
        points: list[tuple[str, Decimal]],
    ) -> DecisionTrace:
        reads = {read: shown[read] for read in self.reads[name]}
        return decision_trace(self.policy.decisions[name], _plain(value), rows, reads, points)


def _key(value: Value) -> Hashable:
    """Return a value as part of a key."""
    return repr(value) if isinstance(value, list | dict) else value


def _plain(value: Value) -> object:
    """Return what a trace shows of a value; most of them are in that form."""
    return value if type(value) in _AS_THEY_ARE else traced(value)
