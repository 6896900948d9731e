"""Ladder tables to rows: thresholds, what must come before, what is done, when it is taken back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from engine.credit.model import FactDefinition
from engine.credit.policy_reader import polished
from engine.feel.parser import parse_unary_tests
from engine.ladder.from_feel import QUANTITIES, read_condition, read_number_test
from engine.ladder.model import (
    NO_TIME,
    Do,
    DoItem,
    FactTest,
    Ladder,
    LadderRow,
    Release,
    TreatmentRow,
)
from engine.ladder.sections_from_yaml import fits
from engine.ladder.threshold import NumberTest
from engine.ladder.waits import parse_wait
from engine.ledger.account import LEVELS
from engine.source import Span
from engine.text import Cell, Node, Period, Reader, ScalarNode, Table, did_you_mean, read_table, suggest
from engine.text.meant import advice_on, full_width, narrow, plain_name

EXEMPT = "none"
LATE_FEE = "late_fee"
INTEREST = "interest"
BEFORE_DUE = "before_due"
CHANNELS = ("sms", "email", "letter", "push", "call")
PREFERRED = "preferred"
"""In place of a channel: the one that the customer prefers."""
ARGUMENTS: Mapping[Do, tuple[tuple[str, ...] | None, ...]] = {
    "notify": ((*CHANNELS, PREFERRED), None),
    "service": (tuple(level for level in LEVELS if level != "open"),),
    "orders": (("refuse_changes",),),
    "billing": (("stop",),),
    "terminate": (("immediate", "end_of_term"),),
    "fee": (None,),
    "apply": (("deposit",),),
    "retry_payment": (),
    "task": (None,),
    "approve": (None,),
    "place": (None,),
    "recall": (None,),
    "write_off": (),
    "recover": (None,),
    "sell": (),
}
"""What each action takes: a closed list of words, or any name (None)."""

_RESERVED = {LATE_FEE: "late fees", INTEREST: "interest", BEFORE_DUE: "notices before the due date"}
_STEP = re.compile(r"[a-z][a-z0-9_]{0,49}")
_CALL = re.compile(r"\s*([a-z_]+)\s*(?:\(([^()]*)\))?\s*")
_WORD = re.compile(r"[a-z][a-z0-9_]*")
_NEEDED = ("step", "age", "after", "wait", "do", "release when")


def read_ladders(reader: Reader, node: Node, facts: Mapping[str, FactDefinition]) -> dict[str, Ladder]:
    """Read every ladder: a map from its name to a table."""
    ladders: dict[str, Ladder] = {}
    for key, value in reader.entries(node, "`ladders`"):
        name = reader.slug(key, "the name of a ladder")
        if name == EXEMPT:
            reader.error("reserved-name", "`none` means no ladder at all", key.span, "choose another name")
            continue
        table = read_ladder_table(reader, value, f"ladder `{key.text}`")
        if name and table is None:  # it is there, so nothing else is wrong with who names it
            ladders[name] = Ladder(name, (), key.span, complete=False)
        if name and table:
            rows = _rows(reader, table, facts)
            by_step = {row.step: row for row in rows}
            complete = len(rows) == len(table.rows) == len(by_step)
            ladders[name] = Ladder(name, rows, key.span, by_step, complete)
            _check_once(reader, rows)
    return ladders


def _check_once(reader: Reader, rows: tuple[LadderRow, ...]) -> None:
    seen: dict[str, LadderRow] = {}
    for row in rows:
        if row.step in seen:
            first = (("the first one stands here", seen[row.step].span),)
            reader.error("step-twice", f"step `{row.step}` stands twice", row.span, "rename one", first)
        seen.setdefault(row.step, row)


def read_ladder_table(reader: Reader, node: Node, what: str) -> Table | None:
    """Read a table that stands in a block of text."""
    if not isinstance(node, ScalarNode):
        reader.error(
            "not-a-table",
            f"{what} is not a table",
            node.span,
            "begin with `|` behind its name; the table stands below it",
        )
        return None
    loaded = read_table(node)
    reader.take(loaded.problems)
    return loaded.policy


def _rows(reader: Reader, table: Table, facts: Mapping[str, FactDefinition]) -> tuple[LadderRow, ...]:
    columns = {cell.text: i for i, cell in enumerate(table.columns)}
    missing = [name for name in _NEEDED if name not in columns]
    known = {*_NEEDED, *QUANTITIES, *facts}
    unknown = [cell for cell in table.columns if cell.text not in known]
    for cell in unknown:
        renamed = suggest(cell.text, missing) or (missing[0] if len(missing) == len(unknown) == 1 else "")
        advice = f"is it the column `{renamed}`?" if renamed else did_you_mean(cell.text, known, of="columns")
        reader.error("unknown-column", f"a ladder has no column `{cell.text}`", cell.span, advice)
    for name in missing[len(unknown) :]:
        advice = f"the columns are: {', '.join(f'`{n}`' for n in _NEEDED)}, `overdue` ..."
        reader.error("missing-column", f"the ladder lacks the column `{name}`", table.span, advice)
    if missing or unknown:
        return ()
    rows = [
        _row(reader, index, {name: row.cells[i] for name, i in columns.items()}, facts, row.span)
        for index, row in enumerate(table.rows)
    ]
    found = tuple(row for row in rows if row is not None)
    if not table.rows:
        reader.error("ladder-empty", "the ladder has no rows", table.span, "write a row for each step")
    return _with_required(found)


def _row(
    reader: Reader, index: int, cells: Mapping[str, Cell], facts: Mapping[str, FactDefinition], span: Span
) -> LadderRow | None:
    step = _step(reader, cells["step"])
    tests = {name: _quantity(reader, cells.get(name), name) for name in QUANTITIES}
    do = read_actions(reader, cells["do"])
    release = _release(reader, cells["release when"])
    wait = _wait(reader, cells["wait"])
    after = cells["after"].text
    fact_tests = tuple(
        test for name in facts if name in cells and (test := fact_test(reader, name, cells[name])) is not None
    )
    if step is None or do is None or release is None or wait is None or None in tests.values():
        return None
    age, dpd, overdue, unpaid = (tests[n] for n in ("age", "days_past_due", "overdue", "unpaid_bills"))
    if age is None or dpd is None or overdue is None or unpaid is None:
        return None
    return LadderRow(
        step, index, replace(cells["step"].span, cell=f"step {step}"), age, dpd, overdue,
        unpaid, fact_tests, "" if after == "-" else after, wait, do, release,
        after_span=replace(cells["after"].span, cell=f"step {step}"),
        wait_span=replace(cells["wait"].span, cell=f"step {step}"),
    )  # fmt: skip


def _step(reader: Reader, cell: Cell) -> str | None:
    if cell.text in _RESERVED:
        message = f"`{cell.text}` is the step of {_RESERVED[cell.text]}"
        reader.error("reserved-name", message, cell.span, "choose another name")
        return None
    if _STEP.fullmatch(cell.text):
        return cell.text
    advice = "use small letters, digits and underscores, at most 50: `final_notice`"
    if _STEP.fullmatch(plain := plain_name(cell.text).lower()):
        advice = f"write `{plain}`"
    reader.error("not-a-step", f"`{cell.text}` is not the name of a step", cell.span, advice)
    return None


def _quantity(reader: Reader, cell: Cell | None, name: str) -> NumberTest | None:
    if cell is None:
        return NumberTest("-", Span("", 1, 1))
    return read_number_test(reader, cell.text, cell.span, name)


def fact_test(reader: Reader, name: str, cell: Cell) -> FactTest | None:
    """Read a cell on a fact of the customer."""
    loaded = parse_unary_tests(cell.text, cell.span)
    reader.take(full_width(polished(problem), cell.text, cell.span) for problem in loaded.problems)
    return FactTest(name, cell.text, cell.span, loaded.policy) if loaded.policy else None


def _wait(reader: Reader, cell: Cell) -> Period | None:
    if cell.text == "-":
        return NO_TIME
    found = parse_wait(cell.text)
    if found is None or not fits(found):
        advice = "write days, weeks or months: `P7D`, `P2W`, `P1M`, `end_of_month(due + P30D)`; `-` for none"
        advice = advice_on(cell.text, "a span", advice)
        reader.error("not-a-period", f"`{cell.text}` is not a span of time", cell.span, advice)
    return found


def _release(reader: Reader, cell: Cell) -> Release | None:
    if cell.text == "-":
        return Release("none", cell.span)
    if cell.text == "final":
        return Release("final", cell.span)
    if cell.text == "recall":
        return Release("recall", cell.span)
    word = cell.text.casefold()
    if word in _ENDS:
        advice = f"write `{_ENDS[word]}`"
        reader.error("not-a-condition", f"`{cell.text}` does not say when it ends", cell.span, advice)
        return None
    condition = read_condition(reader, cell.text, cell.span)
    return Release("condition", cell.span, condition) if condition else None


_ENDS = {"final": "final", "never": "final", "forever": "final", "recall": "recall", "recalled": "recall",
         "none": "-", "no": "-", "": "-", "paid": "overdue < 5.00", "cured": "overdue < 5.00"}  # fmt: skip


def read_actions(reader: Reader, cell: Cell) -> tuple[DoItem, ...] | None:
    """Read the actions of a cell."""
    items: list[DoItem] = []
    for offset, part in _split(cell.text):
        item = _item(reader, part, cell.span.shifted(offset, max(1, len(part))))
        if item is None:
            return None
        if any(other.token == item.token for other in items):
            reader.error("action-twice", f"`{item}` stands twice in one row", item.span, "remove one of them")
            return None
        items.append(item)
    return tuple(items)


def _split(text: str) -> list[tuple[int, str]]:
    """Return the actions of a cell with their offsets: commas inside brackets do not divide."""
    parts: list[tuple[int, str]] = []
    depth = start = 0
    for index, char in enumerate(text + ","):
        if char == "," and depth == 0:
            raw = text[start:index]
            parts.append((start + len(raw) - len(raw.lstrip()), raw.strip()))
            start = index + 1
        depth += (char == "(") - (char == ")")
    return parts


def _fitting(given: Sequence[str], wanted: Sequence[tuple[str, ...] | None]) -> Iterator[str]:
    """Yield the arguments that an action takes: each one that was given where it fits, else an example."""
    left = list(given)
    for words in wanted:
        other = {word for some in wanted if some and some is not words for word in some}
        fit = next((a for a in left if (a in words if words else a not in other)), None)
        if fit is not None:
            left.remove(fit)
        yield fit or (words[0] if words else "name")


def _item(reader: Reader, text: str, span: Span) -> DoItem | None:
    found = _CALL.fullmatch(text)
    if not found:
        reader.error("not-an-action", f"`{text}` is not an action", span, _meant_action(text))
        return None
    name = next((do for do in ARGUMENTS if do == found[1]), None)
    if name is None:
        advice = did_you_mean(found[1], ARGUMENTS, of="actions")
        if near := suggest(found[1], ARGUMENTS):
            advice = f"did you mean `{text.replace(found[1], near, 1)}`?"
        reader.error("unknown-action", f"there is no action `{found[1]}`", span, advice)
        return None
    args = tuple(part.strip() for part in found[2].split(",")) if found[2] and found[2].strip() else ()
    wanted = ARGUMENTS[name]
    if len(args) != len(wanted):
        advice = f"write `{name}({', '.join(_fitting(args, wanted))})`" if wanted else f"write `{name}`"
        has = "1 argument" if len(args) == 1 else f"{len(args)} arguments"
        reader.error("action-arguments", f"`{text}` has {has}, not {len(wanted)}", span, advice)
        return None
    for given, words in zip(args, wanted, strict=True):
        if words is not None and given not in words:
            turned = args[::-1]
            fits = all(w is None or a in w for a, w in zip(turned, wanted, strict=True))
            advice = did_you_mean(given, words, of="one of")
            if fits or (near := suggest(given, words)):
                meant = turned if fits else tuple(near or "" if a == given else a for a in args)
                advice = f"write `{name}({', '.join(meant)})`"
            reader.error("unknown-argument", f"`{given}` is no argument of `{name}`", span, advice)
            return None
        if not _WORD.fullmatch(given):
            advice = "use small letters, digits and underscores: `final_notice`"
            plain = plain_name(given).lower()
            if _WORD.fullmatch(plain):
                advice = f"write `{name}({', '.join(plain if a == given else a for a in args)})`"
            reader.error("not-a-name", f"`{given}` is not a name", span, advice)
            return None
    return DoItem(name, args, span)


def _meant_action(text: str) -> str:
    """Return an advice on what is no action: plain signs, commas between actions, brackets around words."""
    plain = narrow(text)
    parts = [part.strip() for part in re.split(r"[;+&]|\band\b|、", plain) if part.strip()]
    if len(parts) > 1 and all(_CALL.fullmatch(part) for part in parts):
        return f"write `{', '.join(parts)}`: actions are divided by commas"
    if plain != text:
        return f"write `{plain}`, in plain characters"
    words = re.split(r"[\s:,/.()\[\]{}]+", plain.strip(" ()[]{}"))
    if words[0] in ARGUMENTS and all(_WORD.fullmatch(word) for word in words):
        return f"write `{words[0]}({', '.join(words[1:])})`"
    return "write `notify(sms, reminder)`"


def _with_required(rows: tuple[LadderRow, ...]) -> tuple[LadderRow, ...]:
    """Mark the notices that stand before something that harms the customer, also with steps in between."""
    harmful = [row for row in rows if row.interrupts or any(item.do in ("place", "sell") for item in row.do)]
    by_step = {row.step: row for row in rows}
    required = {_notice_before(row, by_step) for row in harmful}
    return tuple(replace(row, required=row.step in required) for row in rows)


def _notice_before(row: LadderRow, by_step: Mapping[str, LadderRow]) -> str:
    """Return the last notice on the way to a row; empty: the way has none."""
    before = by_step.get(row.after)
    for _ in by_step:
        if before is None or before.notifies:
            return before.step if before else ""
        before = by_step.get(before.after)
    return ""


def read_treatment(
    reader: Reader, node: Node, facts: Mapping[str, FactDefinition]
) -> tuple[TreatmentRow, ...]:
    """Read which ladder a customer gets: the name of one, or a FIRST table over facts."""
    if isinstance(node, ScalarNode) and node.style != "literal":
        name = reader.text(node, "`treatment`")
        return (TreatmentRow((), name, node.span),) if name else ()
    fields = reader.fields(node, "`treatment`", ["hit", "table"])
    if fields is None or "table" not in fields:
        return ()
    if "hit" in fields:
        reader.choice(fields["hit"], "the hit policy of a treatment", ["FIRST"])
    table = read_ladder_table(reader, fields["table"], "`treatment`")
    if table is None:
        return ()
    if [cell.text for cell in table.outputs] != ["ladder"]:
        reader.error(
            "treatment-output",
            "a treatment has one output, `ladder`",
            table.outputs[0].span if table.outputs else table.span,
            "write one column behind the double bar: `|| ladder |`",
        )
        return ()
    for cell in table.inputs:
        if cell.text not in facts:
            advice = did_you_mean(cell.text, facts, of="facts")
            reader.error("unknown-fact", f"there is no fact `{cell.text}`", cell.span, advice)
    rows = []
    for row in table.rows:
        cells = tuple(
            test
            for column, cell in zip(table.inputs, row.inputs, strict=True)
            if column.text in facts and (test := fact_test(reader, column.text, cell)) is not None
        )
        rows.append(TreatmentRow(cells, row.outputs[0].text.strip('"'), row.outputs[0].span))
    return tuple(rows)
