"""`forbear grade`: one decision from facts in a file, nothing stored."""

from __future__ import annotations

import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from api.cli.facts_json import read_facts
from api.cli.frame import OK, Trouble
from api.cli.policy_files import PolicyFiles, find_policies
from engine.credit import CreditError, CreditPolicy, Decision, Fact, FactsRefused, Money, decide, load_credit
from engine.credit.decision import DecisionTrace
from engine.credit.model import DecisionTable, Expression, Scorecard, Tests
from engine.credit.nearest import nearest_changes
from engine.credit.nearest_change import NearestChange
from engine.feel.values import show, to_feel
from engine.source import render_problem
from engine.text import did_you_mean


@click.command("grade")
@click.option("--policy", required=True, help="Name of a policy under --policies, or a policy's folder.")
@click.option("--in", "source", required=True, help="File of facts as JSON; `-` reads standard input.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="Day of the decision; without it, today.")
@click.option("--explain", is_flag=True, help="Show every row, why, and what would lead to another result.")
@click.option("--language", default="en", show_default=True, help="Language of the reasons: en, zh ...")
@click.option("--policies", type=click.Path(path_type=Path), default=Path("policies"), show_default=True)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
def command(
    policy: str, source: str, as_of: datetime | None, explain: bool, language: str, policies: Path, form: str
) -> int:  # fmt: skip
    """Grade one customer by a policy, without server or storage.

    Facts are a JSON object by the policy's names: `{"tenure_months": 14, "avg_monthly_bill": "88.00"}`.
    A fact may also be `{"value": ..., "as_of": ..., "source": ..., "verified_by": ...}`. A fact without
    `as_of`, in either form, is taken as of the day of the decision. A fact that is missing, too old or
    unverified is told, with what the policy says then. A day outside the policy's `effective` dates is
    warned of: a server would use the policy of that day. At most four reasons are shown, the principal one
    first; JSON has all.

    \b
    Example:
      forbear grade --policy consumer-credit --in fixtures/facts/consumer.json --as-of 2026-06-30 --explain
    """
    loaded = _load(policy, policies)
    day = as_of.date() if as_of else date.today()  # noqa: DTZ011  # the day on the officer's own desk
    facts = _facts(source, day)
    try:
        decision = decide(loaded, facts, day, trace=True)
    except FactsRefused as error:
        told = "".join(f"\n  {problem}" for problem in error.problems)
        raise Trouble(f"The facts in `{source}` do not fit `{error.policy}`:{told}") from error
    except CreditError as error:
        raise Trouble(str(error)) from error
    _warn_of_day(loaded, day)
    nearest = nearest_changes(loaded, facts, day) if explain else ()
    if form == "json":
        click.echo(_as_json(decision, nearest, explain=explain))
    else:
        more = [*_explained(loaded, decision), *_otherwise(nearest, loaded, language)] if explain else []
        click.echo("\n".join([*_told(decision, language), *more]))
    return OK


def _as_json(decision: Decision, nearest: tuple[NearestChange, ...], *, explain: bool) -> str:
    if not explain:
        return decision.model_dump_json(indent=2, exclude={"trace"})
    found = [
        {
            "says": str(one),
            one.result: plain_json(one.value),
            "changes": {c.fact: plain_json(c.after) for c in one.changes},
        }
        for one in nearest
    ]
    whole = json.loads(decision.model_dump_json())
    return json.dumps({**whole, "nearest": found}, ensure_ascii=False, indent=2)


def plain_json(value: Any) -> Any:
    """Return a value as JSON holds it; amounts and decimals as texts."""
    if isinstance(value, Money):
        return {"unit": value.unit, "value": str(value.value)}
    return value if isinstance(value, bool | int | str) or value is None else str(value)


def _otherwise(nearest: tuple[NearestChange, ...], policy: CreditPolicy, language: str) -> list[str]:
    """Return what would lead to another result, each decided again before it is told."""
    told = [f"  {one.told(language, policy)}" for one in nearest]
    return ["", "What would change it", *told] if told else []


def _warn_of_day(policy: CreditPolicy, day: date) -> None:
    """Say on standard error when the policy does not hold on the day; the server would choose another."""
    start, end = policy.effective_from, policy.effective_to
    if day < start:
        click.echo(f"warning: `{policy.name}` holds from {start}; {day} is before that.", err=True)
    if end is not None and day > end:
        click.echo(f"warning: `{policy.name}` holds until {end}; {day} is after that.", err=True)


def _load(name: str, policies: Path) -> CreditPolicy:
    files = _find(name, policies)
    if files.what != "credit":
        raise Trouble(f"`{files.path}` is no credit policy.")
    loaded = load_credit(files.texts, files.root)
    if loaded.policy is None:
        sources = files.sources()
        told = "\n".join(render_problem(p, sources) for p in files.located(loaded.problems))
        raise Trouble(f"`{files.path}` cannot be used; `forbear check {files.folder}` says the same.\n{told}")
    return loaded.policy


def _find(name: str, policies: Path) -> PolicyFiles:
    path = Path(name) if Path(name).exists() else policies / name
    if not path.exists():
        known = sorted(p.parent.name for p in policies.glob("*/policy.yaml"))
        advice = f"; {did_you_mean(name, known, of='policies')}" if known else "."
        raise Trouble(f"There is no policy `{name}` in `{policies}`{advice}")
    return find_policies([path])[0]


def _facts(source: str, day: date) -> dict[str, Fact]:
    said = read_facts(source, '{"tenure_months": 14, ...}')
    return {name: _fact(source, name, value, day) for name, value in said.items()}


def _fact(source: str, name: str, value: Any, day: date) -> Fact:
    if not (isinstance(value, dict) and "value" in value and "unit" not in value):
        return Fact(value=value, as_of=day)
    try:
        return Fact.model_validate({**value, "as_of": day if value.get("as_of") is None else value["as_of"]})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise Trouble(f"`{source}`, fact `{name}`: `{place}`: {first['msg']}.") from error


def _in(language: str, texts: dict[str, str]) -> str:
    return texts.get(language) or texts.get("en") or next(iter(texts.values()), "")


SHOWN = 4
"""Reasons that are shown at most: the principal ones, by the policy's own order."""


def _told(decision: Decision, language: str = "en") -> list[str]:
    lines = [f"{decision.policy} {decision.version}, as of {decision.as_of}: {decision.status}"]
    lines += [f"  {name:<14} {_shown(value)}" for name, value in decision.outcome.items()]
    lines += [f"  reason         {r.code}: {_in(language, r.text)}" for r in decision.reasons[:SHOWN]]
    if len(decision.reasons) > SHOWN:
        lines.append(f"  and {len(decision.reasons) - SHOWN} more of less weight")
    lines += [f"  fact           {part.decision}: {part.because}" for part in decision.trace if part.because]
    return [*lines, f"  text           {decision.digest}"]


def _shown(value: Any) -> str:
    """Return a value as expressions write it; amounts with their currency, texts alone without quotes."""
    if isinstance(value, Money):
        return f"{value.value} {value.unit}"
    return value if isinstance(value, str) else show(to_feel(value))


def _explained(policy: CreditPolicy, decision: Decision) -> list[str]:
    lines = []
    for part in decision.trace:
        if part.kind == "fact":
            lines += ["", f"{part.decision} = {_shown(part.value)}    {part.because}"]
            continue
        reads = ", ".join(f"{name} = {_shown(value)}" for name, value in part.reads.items())
        lines += ["", f"{part.decision} = {_shown(part.value)}" + (f"    from {reads}" if reads else "")]
        for row in part.rows:
            why = f": {row.because or _row(policy, part, row.row)}"
            lines.append(f"  {'*' if row.matched else ' '} row {row.row} (line {row.line}){why}")
    return lines


def _row(policy: CreditPolicy, part: DecisionTrace, number: int) -> str:
    """Return a row that matched: its cells beside the values that they took, and what it gives."""
    decision = policy.decisions.get(part.decision)
    if isinstance(decision, DecisionTable):
        rule = next(rule for rule in decision.rules if rule.number == number)
        cells = zip(decision.inputs, rule.tests, strict=True)
        seen = [_cell(part, heading, cell) for heading, cell in cells if cell.node.tests]
        pairs = zip(decision.outputs, rule.results, strict=True)
        given = [f"{output.name} {' '.join(result.text.split())}" for output, result in pairs]
    elif isinstance(decision, Scorecard):
        bins = [(c, bin_) for c in decision.characteristics for bin_ in c.bins if bin_.number == number]
        seen = [_cell(part, characteristic.expression, bin_.tests) for characteristic, bin_ in bins]
        given = [f"{bin_.points:f} points{f', {bin_.reason}' if bin_.reason else ''}" for _, bin_ in bins]
    else:
        return ""
    return f"{', '.join(seen) or 'everybody'} => {', '.join(given)}"


def _cell(part: DecisionTrace, heading: Expression, cell: Tests) -> str:
    """Return a cell with the value that it took, where the heading is a name: `score 480 [430..500)`."""
    text = " ".join(cell.text.split())
    if heading.text not in part.reads:
        return f"{heading.text} {text}"
    value = show(to_feel(part.reads[heading.text]))
    return f"{heading.text} {value}" if value == text else f"{heading.text} {value} is {text}"
