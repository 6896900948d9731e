"""Plain debts: all that a ladder can tell apart of debts that nobody pays, disputes or holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from itertools import product
from math import ceil, floor

from engine.ladder.caps import covered
from engine.ladder.channels import PREFERRED_CHANNEL
from engine.ladder.check import chain
from engine.ladder.graph import CENT
from engine.ladder.graph_facts import Customer, customers, passes
from engine.ladder.ladders_from_yaml import CHANNELS, PREFERRED
from engine.ladder.law import Clause, LawPack
from engine.ladder.lawful_contact import harms, sues, validates
from engine.ladder.model import PRINCIPAL, CollectionsPolicy, Ladder, LadderRow
from engine.ladder.plain_days import NEVER
from engine.ladder.threshold import Bounds, NumberTest
from engine.ledger.account import LEVELS

Spans = tuple[tuple[int, int], ...]
"""Days past due, from the first to the last, both meant."""
LOW = -NEVER
PEOPLE = ("task", "approve")


@dataclass(frozen=True, slots=True)
class Rung:
    """A row as it is for one kind of debt."""

    row: LadderRow
    spans: Spans
    """The days past due on which its cells hold; none: never for this debt."""
    after: int
    """The index of the step before it; -1: none."""
    above: tuple[int, ...]
    """The steps on the way to it, the nearest first."""
    notice: int
    """The notice that it rests on; -1: it rests on none."""
    channels: tuple[str, ...]
    notifies: bool
    interrupts: bool
    level: int
    """The level of service that it demands, as it stands in `LEVELS`; 0: none."""
    within: int
    """Minutes in which it has to be confirmed; 0: it is done when it is asked for."""
    days: tuple[NumberTest, ...]
    """What the law says of its days past due."""
    answered: tuple[tuple[Clause, int], ...]
    """Clauses that let it come only when a notice could be answered, and that step; -1: it has none."""
    told: tuple[tuple[Clause, int], ...]
    """Clauses that let it come only when a notice was given, and that step; -1: it has none."""

    def holds(self, day: int) -> bool:
        """Tell whether its cells hold on a day past due."""
        for low, high in self.spans:  # noqa: SIM110 - asked so often that `any` is most of a walk
            if low <= day <= high:
                return True
        return False


@dataclass(frozen=True, slots=True)
class Plain:
    """One kind of debt on one ladder."""

    rungs: tuple[Rung, ...]
    opens: int
    """The day past due on which its case opens."""
    turns: tuple[int, ...]
    """The days past due on which a cell can change its answer."""

    @property
    def ends(self) -> bool:
        """Tell whether some row holds no more once a debt is too old."""
        return any(high < NEVER for rung in self.rungs for _, high in rung.spans)


def plain_debts(policy: CollectionsPolicy, ladder: Ladder, law: LawPack) -> list[Plain]:
    """Return every kind of debt that a ladder tells apart: amounts, bills, facts, channels, terms."""
    found: dict[tuple[object, ...], Plain] = {}
    amounts, counts, who = _amounts(policy, ladder), _counts(policy, ladder), _customers(policy, ladder)
    for amount, bills, term, by in product(
        amounts, counts, _terms(policy, ladder), _preferred(policy, ladder, law)
    ):
        if amount < bills * CENT or (opens := _opens(policy, amount, bills, term)) is None:
            continue
        for customer in who:
            held = tuple(
                row.overdue.holds(amount) and row.unpaid_bills.holds(bills)
                and (customer is None or passes(row.facts, customer))
                for row in ladder.rows
            )  # fmt: skip
            key = (held, opens, term, by)
            if key not in found:
                spans = [
                    _days(policy, row, term, opens) if ok else ()
                    for row, ok in zip(ladder.rows, held, strict=True)
                ]
                found[key] = _plain(policy, ladder, law, spans, opens, by)
    return list(found.values())


def _plain(
    policy: CollectionsPolicy, ladder: Ladder, law: LawPack, spans: list[Spans], opens: int, by: str
) -> Plain:  # fmt: skip
    rungs = tuple(_rung(policy, ladder, law, row, spans[row.index], by) for row in ladder.rows)
    turns = {day for rung in rungs for low, high in rung.spans for day in (low, high + 1)}
    return Plain(rungs, opens, tuple(sorted(day for day in turns if opens < day < NEVER)))


def _rung(
    policy: CollectionsPolicy, ladder: Ladder, law: LawPack, row: LadderRow, spans: Spans, by: str
) -> Rung:  # fmt: skip
    above = tuple(before.index for before in chain(ladder, row))
    notices = (index for index in above if ladder.rows[index].notifies)
    notice = next(notices, -1) if row.interrupts else -1
    items = [item for item in row.do if item.do in PRINCIPAL]
    waits = any(item.do not in PEOPLE for item in items if item.do != "apply")
    speaks = any(item.do == "notify" for item in row.do)
    clauses = [*(law.clauses_on("interruption") if row.interrupts and row.level != "terminated" else ())]
    clauses += [clause for clause in law.clauses_on("legal_action") if sues(row, clause)]
    given = tuple(
        (clause, next((other.index for other in ladder.rows if validates(other, clause)), -1))
        for clause in law.clauses_on("validation")
        if not validates(row, clause)
    )
    return Rung(
        row=row, spans=spans, after=above[0] if above else -1, above=above, notice=notice,
        channels=tuple(
            by if item.args[0] == PREFERRED else item.args[0] for item in row.do if item.do == "notify"
        ),
        notifies=row.notifies, interrupts=row.interrupts, level=LEVELS.index(row.level),
        within=int(policy.confirm.within / timedelta(minutes=1)) if waits else 0,
        days=tuple(clause.days for clause in clauses if clause.days),
        answered=given if harms(row) else (), told=given if speaks or harms(row) else (),
    )  # fmt: skip


# what debts can be told apart


def _amounts(policy: CollectionsPolicy, ladder: Ladder) -> list[Decimal]:
    """Return amounts that stand for all others: each that a cell names, and one beside each."""
    cuts = {bound for row in ladder.rows for b in row.overdue.any_of for bound in (b.low, b.high)}
    for condition in (policy.case.opens, policy.case.closes):
        terms = (term for clause in condition.any_of for term in clause if term.name == "overdue")
        cuts |= {bound for term in terms for bound in (term.bounds.low, term.bounds.high)}
    named = {cut for cut in cuts if cut is not None and cut >= 0}
    beside = {cut + step for cut in named or {Decimal(100)} for step in (-CENT, Decimal(0), CENT)}
    return sorted(amount for amount in beside if amount > 0)


def _counts(policy: CollectionsPolicy, ladder: Ladder) -> list[int]:
    if policy.case.grain != "account":
        return [1]
    turns = {turn for row in ladder.rows for turn in row.unpaid_bills.turns() if 1 <= turn <= 60}
    turns |= {turn for turn in policy.case.opens.turns("unpaid_bills") if 1 <= turn <= 60}
    return sorted({1, *turns})


def _customers(policy: CollectionsPolicy, ladder: Ladder) -> list[Customer | None]:
    if not any(row.facts for row in ladder.rows):
        return [None]
    return sorted(customers(policy).by_ladder.get(ladder.name, ()), key=str) or [None]


def _terms(policy: CollectionsPolicy, ladder: Ladder) -> list[int]:
    """Return how many days after its invoice a bill can fall due, where age counts from the invoice."""
    if policy.case.anchor != "invoice_date":
        return [0]
    turns = {turn for row in ladder.rows for turn in row.age.turns()} | set(policy.case.opens.turns("age"))
    if not any(row.age.ends for row in ladder.rows):
        return [0, max(turns, default=0)]
    return sorted({0, *(max(0, turn - less) for turn in turns for less in (1, 2))})


def _preferred(policy: CollectionsPolicy, ladder: Ladder, law: LawPack) -> list[str]:
    """Return channels that customers can prefer, one of those that no rule tells apart."""
    if not any(i.do == "notify" and i.args[0] == PREFERRED for row in ladder.rows for i in row.do):
        return [""]
    fact = policy.facts.get(PREFERRED_CHANNEL)
    own = fact.one_of if fact and fact.one_of else CHANNELS
    rules = [covered(kind) for kind, _, _ in policy.contact.caps] + [("call",)]
    rules += [clause.channels for clause in law.clauses]
    found: dict[tuple[bool, ...], str] = {}
    for word in sorted({*(word for word in own if word in CHANNELS), *policy.contact.fallback[:1]}):
        found.setdefault(tuple(word in channels for channels in rules), word)
    return list(found.values())


def _opens(policy: CollectionsPolicy, amount: Decimal, bills: int, term: int) -> int | None:
    """Return the day past due on which a case opens, if it does and does not close again at once."""
    rules = policy.case
    turns = {1, *rules.opens.turns("days_past_due")}
    turns |= {turn - term for turn in rules.opens.turns("age")}
    for day in sorted(turn for turn in turns if turn >= 1):
        values: dict[str, Decimal | int]
        values = {"overdue": amount, "age": day + term, "days_past_due": day, "unpaid_bills": bills}
        if rules.opens.holds(values):
            return None if rules.closes.holds(values) else day
    return None


# the days of a row


def _days(policy: CollectionsPolicy, row: LadderRow, term: int, opens: int) -> Spans:
    base = opens if policy.case.anchor == "entry_date" else -term
    by_age = ((low + base, high + base) for low, high in _whole(row.age))
    since = max(1, opens)
    found = [
        (max(low, low_due, since), min(high, high_due))
        for low, high in by_age
        for low_due, high_due in _whole(row.days_past_due)
    ]
    return tuple(sorted((low, min(high, NEVER)) for low, high in found if low <= min(high, NEVER)))


def _whole(test: NumberTest) -> list[tuple[int, int]]:
    return [(_low(bounds), _high(bounds)) for bounds in test.any_of] or [(LOW, 2 * NEVER)]


def _low(bounds: Bounds) -> int:
    if bounds.low is None:
        return LOW
    return ceil(bounds.low) + (0 if bounds.low_closed or bounds.low % 1 else 1)


def _high(bounds: Bounds) -> int:
    if bounds.high is None:
        return 2 * NEVER
    return floor(bounds.high) - (0 if bounds.high_closed or bounds.high % 1 else 1)
