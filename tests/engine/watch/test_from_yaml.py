"""What an author of a watch policy is told, by name and at its place."""

from __future__ import annotations

import pytest

from engine.source import Problem, Severity
from engine.watch import load_watch

HEAD = """policy: p
kind: watch
version: "1"
effective: {from: 2026-01-01}
window: P90D
events:
  usage:
    amount: decimal(2)
    count: {type: integer, min: 0, max: 1000}
    note: string
    roaming: boolean
    day: date
  moved: {place: {type: string, optional: true}, until: {type: instant, optional: true}}
facts:
  contract: {limit: decimal(2), plan: {type: string, one_of: [basic, plus]}}
rules:
"""
RULE = """  - rule: r
    all: {{u: '{condition}'}}
    then: {{alert: a}}
    reason: {{en: r}}
"""
TWO = """  - rule: r
    all: {{m: type = "moved", u: '{condition}'}}
    {more}
    then: {{alert: a}}
    reason: {{en: r}}
"""


def problems(text: str) -> list[Problem]:
    return [p for p in load_watch({"policy.yaml": text.encode()}).problems if p.severity is Severity.ERROR]


REFUSED = [
    ("u.amount / 2 > 1", "division", "u.amount / 2"),
    ("u.amount ** 2 > 1", "exponent", "u.amount ** 2"),
    ("u.amount > 1e3", "exponent", "1e3"),
    ('matches(u.note, "a+")', "regex", 'matches(u.note, "a+")'),
    ("sum([1, 2]) > u.amount", "function", "sum([1, 2])"),
    ('u.note < "b"', "string-order", 'u.note < "b"'),
    ("u.roaming > false", "string-order", "u.roaming > false"),
    ("u.note = 9", "mixed-kinds", "u.note = 9"),
    ('u.amount >= "50"', "mixed-kinds", 'u.amount >= "50"'),
    ("u.roaming = 1", "mixed-kinds", "u.roaming = 1"),
    ("u.amount > null", "null-order", "u.amount > null"),
    ("u.amount + 1 = null", "null-sum", "u.amount + 1 = null"),
    ("u.amount = null", "always-same", "u.amount = null"),
    ("1 < 2", "always-same", "1 < 2"),
    ("now > now", "always-same", "now > now"),
    ('now > @"2026-01-01T00:00:00Z"', "always-same", 'now > @"2026-01-01T00:00:00Z"'),
    ("true", "always-same", "true"),
    ("u.amount - u.amount > 1", "always-same", "u.amount - u.amount > 1"),
    ("u.amount", "not-a-condition", "u.amount"),
    ("amount > 3", "bare-property", "amount"),
    ("x > 3", "unknown-name", "x"),
    ("v.amount > 3", "unknown-alias", "v.amount"),
    ("u.amuont > 3", "unknown-property", "u.amuont"),
    ("u.id = 3", "unknown-property", "u.id"),
    ('u.type = "usage"', "no-event-type", None),
    ('u.at > @"P3M"', "months", '@"P3M"'),
    ('u.at > @"2026-01-01"', "mixed-kinds", 'u.at > @"2026-01-01"'),
    ('u.at > @"12:00:00"', "not-a-moment", '@"12:00:00"'),
    ('u.at > @"2026-01-01T00:00:00"', "not-a-moment", '@"2026-01-01T00:00:00"'),
    ('u.day + @"PT1H" > u.day', "not-whole-days", 'u.day + @"PT1H"'),
    ("u.at + u.at > now", "no-such-arithmetic", "u.at + u.at"),
    ("u.at * 2 > now", "no-such-arithmetic", "u.at * 2"),
    ("-u.note = u.note", "no-such-arithmetic", "-u.note"),
    ("u.amount * u.amount > 1", "too-large", "u.amount * u.amount > 1"),
    ("u.amount > 0.0000001", "too-large", "0.0000001"),
    ("u.amount > 9999999999999", "too-large", "9999999999999"),
    ("if u.roaming then u.amount > 1 else u.amount > 2", "not-carried", None),
    ("[1, 2] = u.amount", "not-carried", "[1, 2]"),
    ("(u.amount > 1) = u.roaming", "nested-comparison", "(u.amount > 1)"),
    ("u.amount >", "feel-syntax", None),
]


@pytest.mark.parametrize(("condition", "code", "place"), REFUSED)
def test_what_no_matcher_carries_is_refused_by_name_at_its_place(
    condition: str, code: str, place: str | None
) -> None:
    text = HEAD + RULE.format(condition=f'type = "usage" and {condition}')
    (problem,) = problems(text)
    assert problem.code == code, problem
    if place is not None:
        line = text.splitlines()[problem.span.line - 1]
        assert line[problem.span.column - 1 :][: problem.span.length].strip("()") == place.strip("()")
        assert problem.advice


ACCEPTED = [
    "u.amount > 3 * u.amount - 5",
    "u.count * u.count >= 4",
    "u.amount between 1 and 2.50",
    'u.note in ("a", "b")',
    "not(u.roaming) or u.roaming = true",
    'u.day = @"2026-02-28" or u.day + @"P1D" < date("2026-03-01")',
    'u.at >= m.at and u.at - m.at < duration("PT36H")',
    'now >= u.at + @"P14D"',
    "m.place = null or m.place != u.note",
    "m.until = null or m.until > now",
]


@pytest.mark.parametrize("condition", ACCEPTED)
def test_what_is_carried_is_accepted(condition: str) -> None:
    assert problems(HEAD + TWO.format(condition=f'type = "usage" and ({condition})', more="")) == []


BETWEEN_EVENTS = [
    ("u.amount * m.count > 1", "unknown-property"),
    ("u.count * c.limit > 1", "product-across-events"),
    ("u.amount + c.limit > d.limit", "three-events"),
    ("u.at + (m.at - c.at) > now", "three-events"),
    ('c.plan = "gold"', "unknown-value"),
]


@pytest.mark.parametrize(("condition", "code"), BETWEEN_EVENTS)
def test_joins_of_more_than_two_events_are_refused(condition: str, code: str) -> None:
    rule = """  - rule: r
    all:
      m: type = "moved"
      c: type = "contract"
      d: type = "contract"
      u: 'type = "usage" and {condition}'
    then: {{alert: a}}
    reason: {{en: r}}
"""
    assert [p.code for p in problems(HEAD + rule.format(condition=condition))] == [code]


RULES = [
    ("all: {u: 'type = \"usge\"'}", "unknown-event"),
    ("all: {u: 'u.amount > 1'}", "no-event-type"),
    ('all: {u: \'type = "usage" and type = "moved"\'}', "no-event-type"),
    ('all: {u: \'type = "usage" or type = "moved"\'}', "no-event-type"),
    ("all: {c: 'type = \"contract\"'}", "no-event"),
    ("all: {}", "how-many-events"),
    ("all: {id: 'type = \"usage\"'}", "reserved-name"),
    ("all: {u: 'type = \"usage\"'}\n    none: {u: 'type = \"moved\"'}", "name-taken"),
    (
        "all: {u: 'type = \"usage\"'}\n    none: {m: 'type = \"moved\" and u.amount > 3'}",
        "condition-elsewhere",
    ),
    ("all: {u: 'type = \"usage\"'}\n    count: 1", "too-small"),
    ("all: {u: 'type = \"usage\"'}\n    distinct: u.note", "without-count"),
    ("all: {u: 'type = \"usage\"'}\n    count: 2\n    distinct: u.nope", "unknown-property"),
    ("all: {u: 'type = \"usage\"'}\n    within: P3D", "within-alone"),
    ("all: {u: 'type = \"usage\"'}\n    count: 2\n    within: P1M", "not-a-length"),
    ("all: {u: 'type = \"usage\"'}\n    count: 2\n    within: P91D", "within-window"),
    ("all: {u: 'type = \"usage\"'}\n    per: amount", "unknown-property"),
    ("all: {u: 'type = \"usage\"', m: 'type = \"moved\"'}\n    per: note", "unknown-property"),
]


@pytest.mark.parametrize(("body", "code"), RULES)
def test_rules_that_make_no_sense_are_refused(body: str, code: str) -> None:
    rule = f"  - rule: r\n    {body}\n    then: {{alert: a}}\n    reason: {{en: r}}\n"
    assert [p.code for p in problems(HEAD + rule)] == [code]


ACTIONS = [
    ("[reasses]", "unknown-action"),
    ("[refer]", "action-arguments"),
    ("[notify(sms, fraud)]", "not-an-action"),
    ("[interim_limit(much)]", "not-an-amount"),
    ('[reassess, "notify(sms, fraud)", hold_orders]', None),
    ("reassess, notify(sms, fraud)", None),
]


@pytest.mark.parametrize(("actions", "code"), ACTIONS)
def test_actions_are_a_closed_set(actions: str, code: str | None) -> None:
    rule = RULE.format(condition='type = "usage"').replace("{alert: a}", f"{{alert: a, do: {actions}}}")
    found = [
        p.code
        for p in problems(
            HEAD
            + rule.replace("do: reassess, notify", 'do: "reassess, notify').replace("fraud)}", 'fraud)"}')
        )
    ]
    assert found[:1] == ([code] if code else [])


SCHEMAS = [
    ("usage: {id: integer}", "reserved-name"),
    ("usage: {amount: money}", "unknown-kind"),
    ("usage: {amount: decimal}", "unknown-kind"),
    ("usage: {amount: {type: integer, min: 5, max: 1}}", "bounds-crossed"),
    ("usage: {note: {type: string, min: 5}}", "bounds-of-number"),
    ("usage: {amount: {type: integer, one_of: [a]}}", "one-of-string"),
    ("usage: {amount: integer, usual: {average: amuont, over: P30D}}", "unknown-property"),
    ("usage: {amount: integer, usual: {average: amount}}", "missing-key"),
    ("usage: {amount: integer, usual: {average: amount, over: P1M}}", "not-a-length"),
    ("usage: {amount: integer, usual: {count: usge, over: P1D}}", "unknown-event"),
]


@pytest.mark.parametrize(("events", "code"), SCHEMAS)
def test_schemas_that_make_no_sense_are_refused(events: str, code: str) -> None:
    head = HEAD[: HEAD.index("  usage:")] + f"  {events}\nrules:\n"
    assert code in [p.code for p in problems(head + RULE.format(condition='type = "usage"'))]


def test_more_rules_than_a_matcher_takes_are_refused() -> None:
    rules = "".join(
        RULE.format(condition='type = "usage"').replace("rule: r", f"rule: r{n}") for n in range(61)
    )
    (problem,) = problems(HEAD + rules)
    assert problem.code == "too-many-rules"
    assert "61 alternatives" in problem.message


def test_too_many_alternatives_of_one_rule_are_refused() -> None:
    either = " and ".join(f"(u.amount = {n} or u.count = {n})" for n in range(5))
    (problem,) = problems(HEAD + RULE.format(condition=f'type = "usage" and {either}'))
    assert problem.code == "too-many-alternatives"
    assert "32" in problem.message


NULLS = [
    ("u.place = m.place", ["both-may-be-missing"]),
    ("u.place = m.place and u.place != null", []),
    ("u.place != m.place", []),
    ("u.customer = m.customer", []),
]


@pytest.mark.parametrize(("condition", "codes"), NULLS)
def test_a_join_of_two_things_that_may_be_missing_is_warned_of(condition: str, codes: list[str]) -> None:
    text = HEAD + TWO.format(condition=f'type = "moved" and {condition}', more="")
    loaded = load_watch({"policy.yaml": text.encode()})
    assert loaded.policy is not None
    assert [p.code for p in loaded.problems] == codes


ON_SEVERAL_LINES = """  - rule: r
    all:
      folded: >-
        type = "usage"
        and folded.amount > 1 and
          folded.amuont > 3

        and folded.amount / 2 > 4
      literal: |
        type = "moved"
        and literal.plaze =
        "x" // whoever moved
        and literal.until > @"P1M"
      plain: type = "usage"
        and plain.amount
          > plain.nothing   # a comment
      quoted: 'type = "usage"
        and quoted.amount > )'
    then: {alert: a}
    reason: {en: r}
"""


def test_mistakes_in_conditions_on_several_lines_are_shown_where_they_stand() -> None:
    found = problems(HEAD + ON_SEVERAL_LINES)
    lines = (HEAD + ON_SEVERAL_LINES).splitlines()
    shown = {
        (p.code, lines[p.span.line - 1][p.span.column - 1 :][: p.span.length], p.span.column) for p in found
    }
    assert shown == {
        ("unknown-property", "folded.amuont", 11), ("division", "folded.amount / 2", 13),
        ("unknown-property", "literal.plaze", 13), ("months", '@"P1M"', 29),
        ("unknown-property", "plain.nothing", 13), ("feel-syntax", ")", 29),
    }  # fmt: skip


def test_a_mistake_in_what_is_computed_is_told_once() -> None:
    usual = "    usual: {average: amount, over: P1D, at_least: 0}\n"
    text = HEAD.replace("    day: date\n", f"    day: date\n{usual}")
    found = problems(text + RULE.format(condition='type = "usage" and u.amount > 3 * u.usual'))
    assert [problem.code for problem in found] == ["too-small"]


def test_an_action_without_its_argument_is_shown_as_it_is_written() -> None:
    text = HEAD + RULE.format(condition='type = "usage"').replace("{alert: a}", "{alert: a, do: [refer]}")
    (found,) = problems(text)
    assert found.advice.startswith("write `refer(fraud_desk)`")
