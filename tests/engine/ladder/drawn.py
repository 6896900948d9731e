"""Random collections policies that could be released: every knob of a ladder that a property may turn on."""

from __future__ import annotations

from functools import cache

from hypothesis import strategies as st

from engine.ladder import CollectionsPolicy, check_law, load_collections
from tests.engine.ladder.world import law, texts_of

TEXT = """\
policy: drawn-collections
kind: collections
version: "1"
effective: {{from: 2025-01-01}}
regulation: cn-telecom
timezone: Asia/Shanghai
currency: CNY
facts:
  vulnerable: {{type: boolean, optional: true}}
  exempt: {{type: boolean, optional: true}}
case:
  grain: {grain}
  scope: {scope}
  anchor: {anchor}
  opens: overdue >= 20.00 and age >= 1
  closes: overdue < {closes}
  ignore_below: {ignore}
  credits: {credits}
  runs: {runs}
  when_late: {late}
{revive}{freshness}ladders:
  standard: |
    | step | age | overdue | unpaid_bills | after | wait || do | release when |
    | reminder | >= {first} | - | - | - | - || notify(sms, reminder) | - |
{call}    | final_notice | >= {second} | >= {least} | - | reminder | {notice} || notify(letter, final_notice) | - |
    | bar | >= {third} | >= {least} | {bills} | final_notice | {pause} || service(outgoing_barred) | overdue < {exit} |
    | suspend | >= {fourth} | >= {least} | - | bar | {pause} || service(suspended), fee(suspension) | overdue < {exit} |
{set_off}    | terminate | >= 106 | >= {least} | - | suspend | P61D || service(terminated), billing(stop) | final |
{agency}    | write_off | >= 300 | - | - | {given_up} | - || approve(write_off), write_off | final |
    | small_balance | >= 150 | < {least} | - | reminder | - || approve(small_write_off), write_off | final |
  hardship: |
    | step | age | overdue | after | wait || do | release when |
    | reminder | >= 10 | - | - | - || notify(sms, reminder) | - |
    | final_notice | >= 40 | >= {least} | reminder | P14D || notify(letter, final_notice) | - |
    | bar | >= 90 | >= {least} | final_notice | P14D || approve(bar), service(outgoing_barred) | overdue < {exit} |
    | write_off | >= 300 | - | reminder | - || approve(write_off), write_off | final |
treatment:
  hit: FIRST
  table: |
    | exempt | vulnerable || ladder |
    | true | - || none |
    | - | true || hardship |
    | - | - || standard |
contact: {{quiet_hours: 21:00-08:00{caps}{valid}}}
interruptions: {{window: 09:00-16:00, not_before: [weekend, holiday], calendar: CN, shift: later}}
fees: {{suspension: 5.00}}
{late_fee}holds:
  dispute: {{clock: stops, taken: {taken}, rejected: {{age: minus_hold, then: renotice}}}}
  promise: {{clock: runs, taken: keep}}
  hardship: {{clock: stops, taken: release, for: P30D, then: task(review)}}
  disaster: {{clock: stops, taken: release, fees: stop}}
  legal_stay: {{clock: {stay}, contact: none, review: P90D}}
promise_to_pay: {{max_days: 14, covers: 0.5 of overdue, tolerance: 0.05, grace: P2D, per_year: 3}}
confirm: {{within: P2D, restored_within: PT24H}}
"""  # noqa: E501 - a table is read in whole lines
LATE_FEE = (
    "late_fee: {rate: 0.003 per day, from: due + P1D, on: undisputed principal, rounding: 0.01 half_up, "
    "cap: principal, stops_in: [disaster], counts_for: [closes, release]}\n"
)
KNOBS: dict[str, list[str]] = {
    "grain": ["account", "account", "invoice", "instalment"],
    "scope": ["account", "account", "service"],
    "anchor": ["oldest_due_date", "entry_date", "latest_due_date_at_entry"],
    "closes": ["5.00", "20.00"],
    "ignore": ["0", "1.00", "10.00"],
    "credits": ["net", "allocated_only"],
    "runs": ["daily", "daily", "month_end", "[1, 15]"],
    "late": ["step_by_step", "jump"],
    "revive": ["", "  revive: P30D\n", "  revive: P90D\n"],
    "freshness": [""],
    "first": ["1", "3", "10"],
    "second": ["10", "20", "30"],
    "third": ["31", "40"],
    "fourth": ["45", "60"],
    "least": ["20.00", "50.00", "100.00"],
    "bills": ["-", ">= 2"],
    "notice": ["-", "P1D", "P7D", "end_of_month(P1D)"],
    "pause": ["P3D", "P7D", "P14D", "end_of_month(P7D)"],
    "exit": ["5.00", "20.00"],
    "call": ["", "    | call | >= 12 | - | - | reminder | P1D || task(call_customer) | - |\n"],
    "set_off": ["", "    | set_off | >= 90 | - | - | suspend | P30D || apply(deposit) | - |\n"],
    "agency": ["", "    | agency | >= 120 | >= 100.00 | - | terminate | - || place(agency) | recall |\n"],
    "given_up": ["reminder", "terminate"],
    "caps": ["", ", caps: {message: 1 per P1D}", ", caps: {message: 2 per P7D}"],
    "valid": ["", ", valid: P30D", ", valid: P90D"],
    "late_fee": ["", LATE_FEE],
    "taken": ["keep", "release"],
    "stay": ["stops", "runs"],
}


@cache
def written(choice: tuple[str, ...]) -> CollectionsPolicy:
    """Return the policy of a choice for each knob, in their order."""
    chosen = dict(zip(KNOBS, choice, strict=True))
    if float(chosen["exit"]) > float(chosen["least"]) or chosen["exit"] == chosen["least"]:
        chosen["exit"] = "5.00"
    if chosen["closes"] == "20.00":
        chosen["closes"] = "10.00"
    if chosen["runs"] != "daily" and "P30D" in chosen["valid"]:
        chosen["valid"] = ", valid: P90D"  # else a notice lapses before the next run, as the model check says
    if chosen["grain"] != "account":
        chosen["bills"] = "-"  # a case about one debt has no number of bills
    templates = {k: v for k, v in texts_of("collections").items() if k.startswith("templates/")}
    loaded = load_collections(templates | {"policy.yaml": TEXT.format(**chosen).encode()})
    assert loaded.policy is not None, loaded.problems
    assert check_law(loaded.policy, law()) == ()
    return loaded.policy


def policies(**fixed: str) -> st.SearchStrategy[CollectionsPolicy]:
    """Draw a policy; the first value of each knob is the simplest; a knob that is named stays as said."""
    chosen = {name: [fixed[name]] if name in fixed else values for name, values in KNOBS.items()}
    return st.tuples(*(st.sampled_from(values) for values in chosen.values())).map(written)
