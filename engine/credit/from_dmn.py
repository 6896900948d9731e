"""A DMN model (1.1 to 1.5, also as Camunda writes it) as the text of a credit policy; the rest is refused.

Decision tables, literal expressions and scorecards as `to_dmn` writes them become decisions; inputs become
facts, also those of models that declare none and only name them in the headings of their tables. Business
knowledge models, services, invocations and other languages than FEEL are refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from engine.credit.carried import Carried, carried_in
from engine.credit.facts_from_dmn import (
    columns_of,
    formulas_of,
    kind_of,
    limits_of,
    types_said,
    values_of,
    within,
)  # fmt: skip
from engine.credit.model import REASON, HitPolicy
from engine.credit.to_dmn import NOTHING, TOTAL
from engine.dmn import expressions as x
from engine.dmn.from_xml import read_definitions
from engine.dmn.model import Decision, Definitions, InputData
from engine.feel import syntax as s
from engine.feel.parser import parse_expression
from engine.policy import Loaded
from engine.source import Problem, Severity, Span
from engine.tables.align import PipeLine, rendered
from engine.text.table import find_bars

_ENDS = ("status", "when_no_row", "when_failed", "validity", "regrade")
"""Keys that stand at the end of a policy."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_FEEL = re.compile(r"feel|https?://www\.omg\.org/spec/.*feel.*", re.I)


@dataclass(slots=True)
class _Import:
    """One model on its way to a policy."""

    model: Definitions
    problems: list[Problem] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)
    """By decision id: the name it gets."""
    facts: dict[str, str] = field(default_factory=dict)
    carried: Carried = field(default_factory=Carried)
    """What the model brings that is not DMN."""
    notes: list[Problem] = field(default_factory=list)
    """What is left out and changes nothing."""
    codes: dict[str, None] = field(default_factory=dict)
    """Reason codes, in the order in which they are met."""

    def refuse(self, what: str, span: Span, advice: str = "") -> None:
        self.problems.append(Problem("dmn-not-carried", f"a policy cannot carry {what}", span, advice))


def from_dmn(
    data: bytes, file: str, *, currency: str | None = None, effective_from: date | None = None,
    otherwise: date = date.min,
) -> Loaded[bytes]:  # fmt: skip
    """Return the text of a policy; None, with every reason, if something in the model cannot be carried.

    Currency and first day stand in models that `to_dmn` wrote; what is given counts more. `otherwise` is the
    first day where neither says one.
    """
    loaded = read_definitions(data, file)
    if loaded.policy is None:
        return Loaded(None, loaded.problems)
    work = _Import(loaded.policy, list(loaded.problems))
    work.carried = carried_in(loaded.policy.kept) or Carried()
    if currency is None and "currency" not in work.carried.head:
        message = "nothing says in which currency the amounts of the model are"
        work.problems.append(Problem("dmn-currency", message, Span(file, 1, 1), "give it: `--currency EUR`"))
    decisions = [element for element in loaded.policy.elements if isinstance(element, Decision)]
    for element in loaded.policy.elements:
        if not isinstance(element, Decision | InputData):
            work.refuse(f"`{element.name}`, a {_words(type(element).__name__)}", element.span)
    for imported in loaded.policy.imports:
        work.refuse(
            f"the import of `{imported.namespace}`", imported.span, "put the decisions into one model"
        )
    _name_all(work, decisions)
    parts = ["".join(_decision(work, one)) for one in decisions]
    if not decisions:
        work.problems.append(Problem("dmn-empty", "the model has no decision", Span(file, 1, 1)))
    if work.problems:
        return Loaded(None, tuple(work.problems))
    read = {name for one in decisions for name in _names_of(one)}
    ends = [name for name in work.names.values() if name not in read]
    start = effective_from or (None if "effective" in work.carried.head else otherwise)
    lines = _written(work, parts, ends, currency, start)
    return Loaded(("\n".join(lines) + "\n").encode(), tuple(work.notes))


def _written(
    work: _Import, parts: list[str], ends: list[str], currency: str | None, start: date | None
) -> Iterator[str]:
    """Yield the lines of the policy; what was carried along goes where the model still has its name."""
    carried = work.carried
    head = {"version": '"1"', **carried.head}
    head |= {"effective": f"{{from: {start}}}"} if start else {}
    head |= {"currency": currency} if currency else {}
    yield "# yaml-language-server: $schema=../schema/policy.json"
    yield from (f"policy: {_slug(work.model.name)}", "kind: credit")
    yield from (f"{key}: {head[key]}" for key in ("title", "version", "effective", "currency") if key in head)
    yield "facts:"
    for name, kind in work.facts.items():
        yield f"  {name}: {carried.facts.get(name, f'{{{kind}, optional: true}}')}"
    yield "decisions:"
    yield from (part.rstrip("\n") for part in parts)
    yield "outcome:"
    told = carried.outcome or {name: name for name in ends}
    yield from (f"  {name}: {value}" for name, value in told.items())
    codes = dict.fromkeys((*carried.reasons, *work.codes))
    if codes:
        new = codes.keys() - carried.reasons.keys()
        yield "reasons:" + ("  # DMN has codes only; write what the customer is told" if new else "")
    for code in codes:
        yield f"  {code}: {carried.reasons.get(code, f'{{en: {code.lower().replace(chr(95), chr(32))}}}')}"
    yield from (f"{key}: {head[key]}" for key in _ENDS if key in head)
    yield from ["promises:", *(f"  - {promise}" for promise in carried.promises)] if carried.promises else []


def _words(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", " ", name).lower()


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "imported"


# names


def _name_all(work: _Import, decisions: list[Decision]) -> None:
    """Give every decision a name that expressions use, and collect the facts with their types."""
    used = {name for one in decisions for name in _names_of(one)}
    written = " ".join(formula.value for one in decisions for formula in formulas_of(one))
    taken: dict[str, Decision] = {}
    for one in decisions:
        options = [one.variable.name, one.name, one.id]
        if isinstance(one.expression, x.DecisionTable) and len(one.expression.outputs) == 1:
            output = one.expression.outputs[0].name or ""
            if output in used and one.variable.name not in used:
                options.insert(0, output)  # Camunda calls a result by its output
        name = next((option for option in options if option and _NAME.fullmatch(option)), "")
        if not name:
            work.refuse(f"the name `{one.name}`", one.span, "use letters, digits and underscores")
        elif name in taken:
            work.refuse(f"two decisions called `{name}`", one.span, "rename one of them")
        taken[name] = one
        work.names[one.id or one.name] = name
    for element in work.model.elements:
        if isinstance(element, InputData):
            name = element.variable.name
            if name not in used and not re.search(rf"(?<!\w){re.escape(name)}(?!\w)", written):
                _unread(work, element)
            else:
                _fact(work, name, element.variable.type_ref, element.span)
    for one in decisions:
        for column in columns_of(one.expression):
            if _NAME.fullmatch(text := column.heading) and text not in taken and text not in work.facts:
                _fact(work, text, None, column.clause.span)
    for one in decisions:
        for column in columns_of(one.expression):
            values = column.clause.values
            if values is not None and not _kept(work, decisions, column.heading, values):
                advice = "leave the list out, or let the column look at an input by its name"
                work.refuse(f"the list of values of column `{column.heading}`", column.clause.span, advice)


def _kept(work: _Import, decisions: list[Decision], heading: str, values: x.Formula) -> bool:
    """Tell whether a column's list of values means the same without it: said of a fact, or always true."""
    if heading in work.facts:
        return True
    made = next((one for one in decisions if work.names.get(one.id or one.name) == heading), None)
    if made is None or not isinstance(made.expression, x.DecisionTable) or len(made.expression.outputs) != 1:
        return False
    table = made.expression
    return within(replace(table, outputs=(replace(table.outputs[0], values=values),)), 0)


def _unread(work: _Import, element: InputData) -> None:
    """Take an input that no decision reads if a fact can be made of it; else leave it out, and say so."""
    before = len(work.problems)
    _fact(work, element.variable.name, element.variable.type_ref, element.span)
    if len(work.problems) > before:
        del work.problems[before:]
        message = f"the input `{element.name}` is read by no decision, and is left out"
        advice = "declare it under `facts` if something shall read it"
        work.notes.append(Problem("dmn-left-out", message, element.span, advice, Severity.INFO))


def _fact(work: _Import, name: str, type_ref: str | None, span: Span) -> None:
    if not _NAME.fullmatch(name):
        work.refuse(f"the input `{name}`", span, "rename it: letters, digits and underscores")
        return
    found = kind_of(work.model, name, type_ref)
    if found is None:
        advice = "give it one of the types string, number, boolean, date"
        types = " and ".join(f"`{ref}`" for ref in types_said(work.model, name, type_ref)) or "`unknown`"
        work.refuse(f"the input `{name}` of type {types}", span, advice)
        return
    limits: dict[str, None] = {}
    for formula in values_of(work.model, name, type_ref):
        if (said := limits_of(formula, found)) is None:
            what = f"the list of values `{formula.value.strip()}` of the input `{name}`"
            work.refuse(what, span, 'write texts, `"a", "b"`, or a range of numbers, `[0..100]`')
        else:
            limits[said] = None
    if len(limits) > 1:
        what = f"different lists of values of the input `{name}`"
        work.refuse(what, span, "give it the same one everywhere")
    work.facts[name] = ", ".join((f"type: {found}", *limits))


def _names_of(decision: Decision) -> set[str]:
    """Return the names that the formulas of a decision read."""
    trees = (parse_expression(formula.value, Span("", 1, 1)).policy for formula in formulas_of(decision))
    return {node.name for tree in trees if tree for node in s.walk(tree) if isinstance(node, s.Name)}


# decisions


def _decision(work: _Import, decision: Decision) -> Iterator[str]:
    name = work.names.get(decision.id or decision.name, decision.name)
    yield from _noted(decision.description or "", " " * 2)
    match decision.expression:
        case x.DecisionTable() as table:
            yield from _table(work, name, table)
        case x.LiteralExpression(formula=formula):
            text = _text(work, formula)
            lines = [line.strip() for line in text.splitlines()]
            yield f"  {name}: |\n" + "".join(f"    {line}\n" for line in lines if line)
        case x.Context() as context if (card := _card(context)) is not None:
            base, parts = card
            yield f"  {name}:\n    scorecard:\n      base: {base}\n      table: |\n"
            points = work.carried.points
            reasons = any(card == name for card, _, _ in points)
            rows = [PipeLine(("characteristic", "bin", "points", *([REASON] if reasons else [])), 2)]
            rules = [rule for part in parts for rule in part.rules]
            for part in parts:
                heading = _heading(work, part.inputs[0])
                for rule in part.rules:
                    cells = _cells(work, rule)
                    code = points.get((name, heading, cells[0]), "") if reasons else None
                    rows.append(PipeLine((heading, *cells, *([] if code is None else [code])), 2))
            yield from _rows(rendered(rows), rules, " " * 8)
        case None:
            work.refuse(f"the decision `{name}`, which has no logic", decision.span)
        case other:
            work.refuse(f"the decision `{name}`, a boxed {_words(type(other).__name__)}", decision.span)


def _card(context: x.Context) -> tuple[str, list[x.DecisionTable]] | None:
    """Return base and tables of a context that adds up points, as `to_dmn` writes it."""
    first, *middle, last = context.entries if len(context.entries) > 2 else (None, None)
    if first is None or last is None or first.variable is None or first.variable.name != TOTAL:
        return None
    tables = [e.value for e in middle if isinstance(e.value, x.DecisionTable) and len(e.value.inputs) == 1]
    names = [e.variable.name for e in (first, *middle) if e.variable]
    base, total = (
        e.value.formula if isinstance(e.value, x.LiteralExpression) else None for e in (first, last)
    )
    if base is None or total is None or len(tables) != len(middle) or total.value != " + ".join(names):
        return None
    return base.value.strip(), tables


def _table(work: _Import, name: str, table: x.DecisionTable) -> Iterator[str]:
    hit = f"{table.hit_policy} {table.aggregation or ''}".strip()
    if hit not in set(HitPolicy):
        advice = "use FIRST, with the rows in order of priority"
        work.refuse(f"the hit policy {hit} of `{name}`", table.span, advice)
    if not table.inputs or not table.rules:
        work.refuse(f"`{name}`, a table without inputs or rules", table.span)
    for place, clause in enumerate(table.outputs):
        if not within(table, place):
            advice = "leave the list out, or keep every result of the column within it"
            work.refuse(f"the list of values of output `{clause.name or name}`", clause.span, advice)
    outputs = tuple(_output(work, name, clause, len(table.outputs)) for clause in table.outputs)
    headings = tuple(_heading(work, clause) for clause in table.inputs)
    rows = [PipeLine((*headings, *outputs), len(headings))]
    rows += [PipeLine(_cells(work, rule), len(headings)) for rule in table.rules]
    if REASON in outputs:
        place = len(headings) + outputs.index(REASON)
        work.codes |= dict.fromkeys(
            row.cells[place].strip('"') for row in rows[1:] if row.cells[place] != "null"
        )
    yield f"  {name}:\n    hit: {hit}\n    table: |\n"
    yield from _rows(rendered(rows), table.rules, " " * 6)
    defaults = [clause.default for clause in table.outputs]
    if any(default is not None for default in defaults):
        texts = [_text(work, d.formula) if isinstance(d, x.LiteralExpression) else "null" for d in defaults]
        if hit in set(HitPolicy) and texts == [NOTHING.get(HitPolicy(hit))]:
            return  # as `to_dmn` writes what goes without saying here
        said = [f"{o}: '{t.replace(chr(39), chr(39) * 2)}'" for o, t in zip(outputs, texts, strict=True)]
        yield f"    otherwise: {{{', '.join(said)}}}\n"


def _rows(lines: list[str], rules: Sequence[x.Rule], indent: str) -> Iterator[str]:
    """Yield the lines of a table, what is noted at a rule above its row."""
    heading, *others = lines
    yield f"{indent}{heading}\n"
    for line, rule in zip(others, rules, strict=True):
        yield from _noted("\n".join(note for note in (rule.description, *rule.annotations) if note), indent)
        yield f"{indent}{line}\n"


def _noted(text: str, indent: str) -> Iterator[str]:
    """Yield a text as lines of comment."""
    yield from (f"{indent}# {' '.join(line.split())}\n" for line in text.splitlines() if line.strip())


def _output(work: _Import, name: str, clause: x.OutputClause, count: int) -> str:
    output = clause.name or (name if count == 1 else "")
    if not _NAME.fullmatch(output):
        work.refuse(f"the output `{output or clause.label}` of `{name}`", clause.span, "give it a plain name")
    return output


def _heading(work: _Import, clause: x.InputClause) -> str:
    text = _text(work, clause.expression.formula if clause.expression else None)
    if not text.strip():
        work.refuse("a column without an expression", clause.span)
    return _in_cell(work, text, clause.span)


def _cells(work: _Import, rule: x.Rule) -> tuple[str, ...]:
    tests = [_in_cell(work, _text(work, test) or "-", rule.span) for test in rule.tests]
    results = [_in_cell(work, _text(work, r.formula) or "null", rule.span) for r in rule.outputs]
    return (*tests, *results)


def _in_cell(work: _Import, text: str, span: Span) -> str:
    cell = " ".join(text.split())
    bars, unclosed = find_bars(cell)
    if bars or unclosed is not None:
        work.refuse(f"the cell `{cell}`", span, "a bar stands in quotes, and quotes are closed")
    return cell


def _text(work: _Import, formula: x.Formula | None) -> str:
    if formula is None:
        return ""
    language = formula.language or work.model.expression_language or "feel"
    if not _FEEL.fullmatch(language):
        work.refuse(f"the language `{language}`", formula.text.place(0), "write the expression in FEEL")
    return formula.value.strip()
