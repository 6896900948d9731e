"""Cases beside a policy: facts and what must come out, each under a sentence.

    policy: consumer-credit
    as_of: 2026-11-20                  # for all cases; a case may have its own
    facts_base:                        # sets of facts to start from
      steady: {tenure_months: 60, ...}
    cases:
      - case: A customer of five years who always pays on time gets grade A
        facts_base: steady
        facts: {tenure_months: 61}     # `null` takes a fact away; `{value: 3, as_of: 2026-01-01}` says more
        expect: {grade: A, deposit: 0}

Each case is decided by the interpreter and by the compiled policy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from engine.credit.case_report import CaseReport, CaseResult, Machine, Mismatch, because
from engine.credit.cases_from_csv import case_rows
from engine.credit.compile import CompiledPolicy, compile_policy
from engine.credit.decision import Decision, Fact, Money
from engine.credit.errors import CreditError
from engine.credit.facts import refused
from engine.credit.finish import STATUSES
from engine.credit.interpret import decide
from engine.credit.model import CreditPolicy, FactValue
from engine.credit.policy_reader import PolicyReader
from engine.policy import Loaded
from engine.source import Span, has_errors, sort_problems
from engine.text import ListNode, MapNode, Node, ScalarNode, did_you_mean, optional, read_yaml

Given = dict[str, Node]
_ONLY_ROWS = MapNode((), Span("", 1, 1))
"""What stands for a file of cases that is not there."""


@dataclass(frozen=True, slots=True)
class Case:
    """One case as it was read."""

    name: str
    span: Span
    as_of: date
    facts: Mapping[str, Fact]
    expect: Mapping[str, Node] = field(default_factory=dict)


def run_cases(
    policy: CreditPolicy, data: bytes | None, file: str, table: bytes | None = None
) -> CaseReport:  # fmt: skip
    """Run every case of a file, and of a CSV file beside it, against a policy, interpreted and compiled."""
    loaded = read_cases(policy, data, file, table)
    file = file if data is not None else beside(file)
    if loaded.policy is None:
        return CaseReport(policy.name, file, (), loaded.problems)
    compiled = compile_policy(policy)
    results = tuple(_run(policy, compiled, case) for case in loaded.policy)
    return CaseReport(policy.name, file, results, loaded.problems)


def read_cases(
    policy: CreditPolicy, data: bytes | None, file: str, table: bytes | None = None
) -> Loaded[tuple[Case, ...]]:
    """Read the cases of a file; `table` holds more of them as CSV, by the same names, or all: no `data`."""
    reader = PolicyReader({})
    loaded: Loaded[Node] = read_yaml(data, file) if data is not None else Loaded(_ONLY_ROWS, ())
    reader.take(loaded.problems)
    rows = case_rows(reader, table, beside(file), policy.facts) if table is not None else ()
    cases = tuple(_cases(reader, policy, loaded.policy, rows)) if loaded.policy is not None else ()
    problems = sort_problems(reader.problems)
    return Loaded(None if has_errors(problems) else cases, problems)


def beside(file: str) -> str:
    """Return the file in which more cases of a file stand as rows."""
    return f"{file.removesuffix('.yaml')}.csv"


# reading


def _cases(
    reader: PolicyReader, policy: CreditPolicy, node: Node, rows: Sequence[Node]
) -> Iterator[Case]:  # fmt: skip
    needed = ["policy", "cases"] if node is not _ONLY_ROWS else []
    fields = reader.fields(node, "a file of cases", needed, ["as_of", "facts_base"])
    if fields is None:
        return
    name = optional(fields, "policy", reader.text, "`policy`")
    if name is not None and name != policy.name:
        message = f"these cases are for `{name}`; the policy is `{policy.name}`"
        reader.error("other-policy", message, fields["policy"].span)
    as_of = optional(fields, "as_of", reader.date, "`as_of`")
    if as_of is None and "as_of" in fields:
        as_of = policy.effective_from  # it is told already; the cases are read on for their own mistakes
    bases = _bases(reader, policy, fields)
    seen: dict[str, Span] = {}
    items = reader.items(fields["cases"], "`cases`") if "cases" in fields else ()
    for item in (*items, *rows):
        case = _case(reader, policy, item, as_of, bases)
        if case is None:
            continue
        if case.name in seen:
            related = (("the first one stands here", seen[case.name]),)
            reader.error("duplicate-case", "two cases have the same sentence", case.span, related=related)
        seen[case.name] = case.span
        yield case


def _bases(reader: PolicyReader, policy: CreditPolicy, fields: Mapping[str, Node]) -> dict[str, Given]:
    if "facts_base" not in fields:
        return {}
    entries = reader.entries(fields["facts_base"], "`facts_base`")
    return {key.text: _given(reader, policy, node, f"facts `{key.text}`") for key, node in entries}


def read_bases(policy: CreditPolicy, data: bytes, file: str) -> dict[str, tuple[date, dict[str, Fact]]]:
    """Return the sets of facts that a file names, each with the day of the file; the file was read before."""
    reader = PolicyReader({})
    node = read_yaml(data, file).policy
    day = reader.date(n, "`as_of`") if isinstance(node, MapNode) and (n := node.get("as_of")) else None
    if not isinstance(node, MapNode) or day is None or (bases := node.get("facts_base")) is None:
        return {}
    found: dict[str, tuple[date, dict[str, Fact]]] = {}
    for name, given in _bases(reader, policy, {"facts_base": bases}).items():
        facts = {key: _fact(reader, policy, key, value, day) for key, value in given.items()}
        found[name] = (day, {key: fact for key, fact in facts.items() if fact is not None})
    return found


def _given(reader: PolicyReader, policy: CreditPolicy, node: Node, what: str) -> Given:
    given: Given = {}
    for key, value in reader.entries(node, what):
        if key.text in policy.facts:
            given[key.text] = value
        else:
            advice = did_you_mean(key.text, policy.facts, of="facts")
            reader.error("unknown-fact", f"the policy reads no fact `{key.text}`", key.span, advice)
    return given


def _case(
    reader: PolicyReader, policy: CreditPolicy, node: Node, day: date | None, bases: Mapping[str, Given]
) -> Case | None:
    fields = reader.fields(node, "a case", ["case", "expect"], ["as_of", "facts_base", "facts"])
    if fields is None or "case" not in fields:
        return None
    name = reader.text(fields["case"], "the sentence of a case")
    as_of = reader.date(fields["as_of"], "`as_of`") if "as_of" in fields else day
    if as_of is None and "as_of" not in fields:
        table = node.span.file.endswith(".csv")
        advice = "add a column `as_of`, with a day in each row" if table else "add `as_of: 2026-11-20`"
        reader.error("missing-key", "a case lacks the day of its decision", node.span, advice)
    base = optional(fields, "facts_base", reader.text, "`facts_base`")
    if base is not None and base not in bases:
        advice = did_you_mean(base, bases, of="sets of facts")
        reader.error("unknown-base", f"there are no facts called `{base}`", fields["facts_base"].span, advice)
    own = _given(reader, policy, fields["facts"], "`facts`") if "facts" in fields else {}
    expect = _expected(reader, policy, fields["expect"]) if "expect" in fields else {}
    if name is None or as_of is None:
        return None
    given = {**bases.get(base or "", {}), **own}
    found = {key: _fact(reader, policy, key, value, as_of) for key, value in given.items()}
    facts = {key: fact for key, fact in found.items() if fact is not None}
    return Case(name, fields["case"].span, as_of, facts, expect)


def _fact(reader: PolicyReader, policy: CreditPolicy, name: str, node: Node, as_of: date) -> Fact | None:
    """Return a fact; one without a day of its own is of the day of the decision."""
    what = f"fact `{name}`"
    if isinstance(node, MapNode):
        fields = reader.fields(node, what, ["value"], ["as_of", "verified_by", "source"]) or {}
        value = _value(reader, policy, name, fields["value"]) if "value" in fields else None
        return Fact(
            value=value,
            as_of=optional(fields, "as_of", reader.date, f"`as_of` of {what}") or as_of,
            verified_by=optional(fields, "verified_by", reader.text, "`verified_by`") or "",
            source=optional(fields, "source", reader.text, "`source`") or "",
        )
    if isinstance(node, ScalarNode) and node.is_null:
        return None
    return Fact(value=_value(reader, policy, name, node), as_of=as_of)


def _value(reader: PolicyReader, policy: CreditPolicy, name: str, node: Node) -> FactValue:
    """Read the value of a fact; one that the policy would refuse at its door is noted here, once."""
    definition = policy.facts[name]
    value = reader.fact_value(node, f"fact `{name}`", definition.kind)
    if value is not None and (wrong := refused(definition, value, policy.currency)):
        why, advice = wrong
        reader.error("fact-refused", f"fact `{name}` {why}", node.span, advice)
    return value


def _expected(reader: PolicyReader, policy: CreditPolicy, node: Node) -> dict[str, Node]:
    known = [*(item.name for item in policy.outcome), "status", "reasons", "principal", "valid_until"]
    expect = reader.fields(node, "what is expected", optional=known) or {}
    if not expect and isinstance(node, MapNode) and not node.entries:
        reader.error("nothing-expected", "a case that expects nothing proves nothing", node.span)
    if "status" in expect:
        reader.choice(expect["status"], "a status", STATUSES)
    codes = list(reader.items(expect["reasons"], "`reasons`")) if "reasons" in expect else []
    codes += [expect["principal"]] if "principal" in expect else []
    for code in codes:
        reader.choice(code, "a reason of this policy", policy.reasons)
    return expect


# running


def _run(policy: CreditPolicy, compiled: CompiledPolicy, case: Case) -> CaseResult:
    try:
        decision = decide(policy, case.facts, case.as_of)
        fast = compiled.decide(case.facts, case.as_of)
    except CreditError as error:
        return CaseResult(case.name, case.span, error=str(error))
    found = [*mismatches(case, decision, "interpreted"), *mismatches(case, fast, "compiled")]
    if fast != decision.model_copy(update={"trace": ()}):
        found.append(_differing(case, decision, fast))
    if not found:
        return CaseResult(case.name, case.span, decision=decision)
    unique = {(m.name, m.got): m for m in reversed(found)}
    names = {mismatch.name for mismatch in found}
    rows = because(policy, decision, names)
    if not rows:  # the facts stopped the decision before any row was looked at
        told = ", ".join(f"{reason.code} ({reason.decision})" for reason in decision.reasons)
        rows = (f"status {decision.status}: {told}",)
    return CaseResult(case.name, case.span, tuple(reversed(unique.values())), "", decision, rows)


def _differing(case: Case, decision: Decision, fast: Decision) -> Mismatch:
    return Mismatch(
        "the machines", f"one answer ({_told(decision)})", f"another ({_told(fast)})", case.span, "compiled"
    )


def _told(decision: Decision) -> str:
    return decision.model_dump_json(include={"status", "outcome", "reasons"}, exclude_none=True)


def mismatches(case: Case, decision: Decision, machine: Machine = "interpreted") -> Iterator[Mismatch]:
    """Yield what a decision has otherwise than a case expects."""
    codes = [reason.code for reason in decision.reasons]
    special: dict[str, Any] = {
        "status": decision.status, "reasons": codes, "principal": codes[0] if codes else None,
        "valid_until": decision.valid_until,
    }  # fmt: skip
    for name, node in case.expect.items():
        got = special[name] if name in special else decision.outcome.get(name)
        if not _meets(node, got):
            yield Mismatch(name, _node_text(node), _value_text(got), node.span, machine)


def _meets(node: Node, got: Any) -> bool:
    """Tell whether a value is what the author wrote: numbers by value, texts by letter."""
    match node, got:
        case ListNode(items), list():
            return len(items) == len(got) and all(map(_meets, items, got))
        case MapNode(entries), dict():
            expected = {key.text: value for key, value in entries}
            return expected.keys() == got.keys() and all(_meets(expected[k], got[k]) for k in got)
        case ScalarNode() as scalar, _:
            return _scalar_meets(scalar, got)
    return False


def _scalar_meets(scalar: ScalarNode, got: Any) -> bool:
    if got is None or scalar.is_null:
        return got is None and scalar.is_null
    if isinstance(got, bool):
        return scalar.boolean is got
    if isinstance(got, Money):
        got = got.value
    if isinstance(got, Decimal):
        try:
            return Decimal(scalar.text) == got
        except InvalidOperation:
            return False
    return str(got) == scalar.text.strip()


def _node_text(node: Node) -> str:
    if isinstance(node, ListNode):
        return f"[{', '.join(map(_node_text, node.items))}]"
    if isinstance(node, MapNode):
        return f"{{{', '.join(f'{key.text}: {_node_text(value)}' for key, value in node.entries)}}}"
    return node.text or "null"


def _value_text(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value_text, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {_value_text(item)}' for key, item in value.items())}}}"
    if isinstance(value, Money):
        return str(value.value)
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
