"""What the demo prints: the shelf, grades, cases, money overdue, one customer's story, the audit."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from api.demo.network import Order
from api.demo.rates import DISCONNECTED_PER_NOTICE, RECONNECTED_PER_DISCONNECTION
from api.demo.show import money, share, table
from api.demo.uci_sample import GradeRow
from api.storage.publishing import Published
from workflows.audit.report import AuditReport

Decisions = Mapping[str, dict[str, Any]]
ASIDE = ("late_fee", "hold.")
"""Steps of orders that are no rows of a ladder."""


def shelf(published: Iterable[Published]) -> str:
    """Return what is on the shelf, with the digests that decisions and cases will name."""
    texts = [p.manifest for p in published]
    rows = [(m.kind, m.policy, m.version, str(m.effective_from), m.digest[:19]) for m in texts]
    return table(("kind", "name", "version", "in force from", "digest"), rows)


def grades(decisions: Decisions) -> str:
    """Return customers by policy and grade, with limits, deposits and the commonest reason."""
    groups: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for decision in decisions.values():
        groups[decision["policy"], decision["outcome"].get("grade") or "-"].append(decision)
    rows = [(*group, *_summed(some, len(decisions))) for group, some in sorted(groups.items())]
    header = (
        "policy", "grade", "customers", "share", "average limit", "deposits", "amount", "to a person",
        "commonest reason",
    )  # fmt: skip
    return table(header, rows)


def _summed(some: Sequence[dict[str, Any]], of: int) -> tuple[object, ...]:
    limits = sum((_amount(d, "credit_limit") for d in some), Decimal(0))
    deposits = [_amount(d, "deposit") for d in some]
    reasons = Counter(code for d in some for code in d["reasons"][:1])
    commonest = reasons.most_common(1)[0][0] if reasons else ""
    referred = sum(d["status"] == "referred" for d in some)
    asked = sum(d > 0 for d in deposits)
    return (
        len(some), share(len(some), of), limits / len(some), asked or "-", sum(deposits, Decimal(0)),
        referred or "-", commonest,
    )  # fmt: skip


def moods(counts: Mapping[str, int]) -> str:
    """Return what became of the actions at the receiver, in words."""
    words = {
        "done": "done at once", "later": "confirmed hours later", "failed": "failed",
        "never": "never confirmed", "desk": "left to a person",
    }  # fmt: skip
    return ", ".join(f"{counts[mood]} {word}" for mood, word in words.items() if counts.get(mood))


def moves(first: Decisions, last: Decisions, before: date, after: date) -> str:
    """Return who moved between two gradings: from the grade of the line to the grade of the column."""
    pairs = Counter(
        (first[c]["outcome"].get("grade") or "-", last[c]["outcome"].get("grade") or "-")
        for c in last
        if c in first
    )
    names = sorted({name for pair in pairs for name in pair})
    rows = [(old, *(pairs[old, new] or "-" for new in names)) for old in names]
    said = f"      From the grade on {before} (lines) to the grade on {after} (columns):"
    return "\n".join([said, table(("", *names), rows)])


def default_rates(rows: Sequence[GradeRow]) -> str:
    """Return how many customers of each grade defaulted in the month after."""
    shown = [(r.grade, r.customers, r.defaults, share(r.defaults, r.customers)) for r in rows]
    total, bad = sum(r.customers for r in rows), sum(r.defaults for r in rows)
    return table(
        ("grade", "customers", "defaulted", "default rate"), [*shown, ("all", total, bad, share(bad, total))]
    )


def deepest_steps(cases: Iterable[Mapping[str, Any]], orders: Iterable[Order]) -> dict[str, str]:
    """Return the last step of the ladder that each case reached, by workflow; empty: none."""
    deepest = {case["workflow"]: "" for case in cases}
    cut: set[str] = set()
    for order in sorted(orders, key=lambda order: order.at):
        workflow = "/".join(order.key.split("/")[:3])
        chore = order.do == "task" and order.args[:1] in (("missing_receipt",), ("undeliverable",))
        if workflow in deepest and not order.undo and not chore and not order.step.startswith(ASIDE):
            if order.do == "notify" and workflow in cut:
                continue  # sent again for a younger bill: no step
            deepest[workflow] = order.step
            cut |= {workflow} if order.level else set()
    return deepest


def cases(found: Sequence[Mapping[str, Any]], orders: Sequence[Order], *, published: bool) -> str:
    """Return cases by the last step that they reached and by how they ended.

    `published`: with the published rates of utilities beside ours.
    """
    deepest = deepest_steps(found, orders)
    order_of = {step: n for n, step in enumerate(dict.fromkeys(o.step for o in orders))}
    ends = Counter((deepest[case["workflow"]], case["ended"] or "open") for case in found)
    columns = sorted({end for _, end in ends}, key=lambda end: (end == "open", end != "cured", end))
    steps = sorted({step for step, _ in ends}, key=lambda step: order_of.get(step, -1))
    rows = [(step or "before the first step", *(ends[step, end] or "-" for end in columns)) for step in steps]
    totals = [sum(ends[step, end] for step in steps) for end in columns]
    accounts = len({case["account"] for case in found})
    said = f"      {len(found)} cases of {accounts} accounts were opened; by the last step they reached:"
    return "\n".join(
        [said, table(("last step", *columns), [*rows, ("all", *totals)]), *_service(orders, published)]
    )


def _service(orders: Sequence[Order], published: bool) -> list[str]:
    """Say how often service was cut and restored."""
    notices = sum(o.step == "final_notice" and o.do == "notify" for o in orders)
    barred = sum(o.level == "outgoing_barred" and not o.undo for o in orders)
    cut = {(o.account, o.step) for o in orders if o.level == "suspended" and not o.undo}
    back = {(o.account, o.step) for o in orders if o.undo} & cut
    if not notices or not cut:
        return []
    rates = (DISCONNECTED_PER_NOTICE, RECONNECTED_PER_DISCONNECTION)
    beside = [f"; published {float(rate):.1%}" if published else "" for rate in rates]
    return [
        f"      {notices} final notices, {barred} times outgoing use barred, {len(cut)} accounts suspended "
        f"({share(len(cut), notices)} per notice{beside[0]}),",
        f"      {len(back)} of them restored ({share(len(back), len(cut))}{beside[1]}).",
    ]


def overdue(by_day: Mapping[date, Decimal], currency: str) -> str:
    """Return the money overdue at its peak, now, and month by month."""
    peak = max(by_day, key=lambda day: (by_day[day], -day.toordinal()))
    last = max(by_day)
    ends = [day for day in by_day if (day + timedelta(days=1)).day == 1]
    most = max(by_day.values()) or Decimal(1)
    bars = [
        f"      {day:%b} {money(by_day[day]):>14}  {'#' * int(30 * by_day[day] / most)}".rstrip()
        for day in ends
    ]
    return "\n".join(
        [
            f"      Overdue in all, {currency}: at its peak {money(by_day[peak])} at the end of {peak}, "
            f"now ({last}) {money(by_day[last])}; at the end of each month:",
            *bars,
        ]
    )


def story(case: Mapping[str, Any], zone: str) -> str:
    """Return one case as a dated list, each line with its reason."""
    lines = [f"      One customer's story: {case['workflow']}, local time in {zone}"]
    for line in case["story"]:
        at = _local(line["at"], zone)
        lines.append(f"      {at}  {line['what']:<9}  {line['text']}")
        if line["why"] and line["what"] in ("opened", "step", "asked", "withdrawn", "failed"):
            lines.append(f"      {'':<16}  {'':<9}    because {line['why']}")
    return "\n".join(lines)


def audited(found: AuditReport) -> str:
    """Return what the audit proved."""
    kinds = Counter(verdict.kind for verdict in found.verdicts)
    agree = Counter(verdict.kind for verdict in found.verdicts if verdict.verdict == "agrees")
    rows = [(kind, count, agree[kind], count - agree[kind]) for kind, count in sorted(kinds.items())]
    events = sum(run.events for run in found.runs)
    head = f"      {len(found.runs)} histories with {events:,} events replayed strictly."
    return "\n".join(
        [head, table(("taken again", "decisions", "agree", "differ"), rows), *_indented(found.notes)]
    )


def where_next(folder: Path, bundle: Path) -> str:
    """Return where a newcomer can go on."""
    return f"""\
      forbear up --data {folder}
                          look around in what was run: the API with its docs page, Temporal's own web UI
      forbear up          start on a ledger of your own, in real time
      policies/           the policy files that decided all this; change one, then
      forbear check       what is wrong, where, and what to do
      forbear test        the cases beside each policy
      forbear grade --policy consumer-credit --in fixtures/facts/consumer.json --explain
      forbear audit {bundle} --accept-simulated
                          prove the same again, from the signed bundle alone"""


def _amount(decision: Mapping[str, Any], name: str) -> Decimal:
    found = decision["outcome"].get(name)
    return Decimal(found["value"]) if isinstance(found, dict) else Decimal(0)


def _local(at: str, zone: str) -> str:
    return f"{datetime.fromisoformat(at).astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"      {line}" for line in lines]
