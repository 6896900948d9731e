"""The quick answer to a preview is, byte by byte, that of the model path, or there is none."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.rest.assessments import PreviewBody
from api.rest.customers import facts_of
from api.rest.decisions import DecisionOut, decision_fields
from api.rest.quick_answers import Answers, asked_in, json_text
from api.rest.strict_json import BadJson, loads
from engine.credit import CompiledPolicy, CreditError, compile_policy, load_credit
from engine.credit.quick import NotPlain
from tests.api.policies import CREDIT

DAY = date(2026, 6, 1)
ALL_KINDS = """policy: all-kinds
kind: credit
version: "1"
effective: {from: 2026-01-01}
currency: CNY
facts:
  segment:   {type: string, one_of: [consumer, sme]}
  note:      {type: string, optional: true}
  direct:    {type: boolean}
  months:    {type: integer, min: 0, max: 600}
  rate:      {type: decimal, min: 0, max: 1, optional: true}
  bill:      {type: money, min: 0, max_age: P3M, when_missing: {default: 50.00, reason: NO_BILL}}
  owed:      {type: money, optional: true}
  since:     {type: date, optional: true}
  tags:      {type: list of string, optional: true}
  checked:
    {type: boolean, verified: true, optional: true, when_unverified: {default: false, reason: NOBODY}}
  judged:    {type: boolean, optional: true, when_missing: {default: true, reason: UNJUDGED}}
decisions:
  flags:
    hit: RULE ORDER
    table: |
      | direct | months  || reason |
      | false  | -       || HAND   |
      | -      | < 3     || SHORT  |
  limit: floor(bill * 3, -1) - (if owed = null then 0 else owed)
  share: if rate = null then null else rate / 3
outcome:
  limit: {money: limit}
  share: share
  since: since
  tags: tags
  months: months
  note: note
  judged: judged and checked != true
status: if limit > 20000 then "referred" else "decided"
reasons:
  HAND: {en: pays by hand "now", zh: 手工}
  SHORT: {en: short}
  NO_BILL: {en: none}
  NOBODY: {en: nobody}
  UNJUDGED: {en: unjudged}
"""


def compiled(text: bytes) -> CompiledPolicy:
    loaded = load_credit({"policy.yaml": text})
    assert loaded.policy is not None, loaded.problems
    return compile_policy(loaded.policy)


POLICY = compiled(ALL_KINDS.encode())
ANSWERS = Answers(POLICY)
PLAIN: dict[str, Any] = {
    "segment": "sme", "note": "a", "direct": True, "months": 2, "rate": "0.5", "bill": "80.10",
    "since": "2020-02-29", "tags": ["a", "b"],
}  # fmt: skip


def by_model(body: bytes) -> bytes | None:
    """Return the answer that the path itself gives; None for every refusal."""
    try:
        asked = PreviewBody.model_validate(loads(body))
        as_of = asked.as_of or DAY
        decision = POLICY.decide(facts_of(asked.facts, as_of), as_of)
    except (BadJson, ValidationError, CreditError):
        return None
    return DecisionOut(**decision_fields(decision, trace=False)).model_dump_json().encode()


def quickly(body: bytes) -> bytes | None:
    try:
        asked = asked_in(body)
        return ANSWERS.answer(asked.facts, asked.as_of or DAY)
    except (NotPlain, BadJson, ValueError):
        return None


def body_of(facts: Any, **more: Any) -> bytes:
    return json.dumps({"policy": "all-kinds", "as_of": "2026-06-01", "facts": facts} | more).encode()


NUMBERS = st.one_of(
    st.decimals("-1", "1000000", places=2).map(str),
    st.sampled_from(
        ["0", "0.00", "-0.00", "00.10", "1.5", "7", "1e3", "0.0000001", "0.100", "٣.00", "+1.00"]
    ),
    st.sampled_from(
        ["9" * 34, "9" * 33 + ".99", "0." + "1" * 34, "100", "1.00 ", "1000000000000000000000.00"]
    ),
    st.integers(-3, 10**36),
)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 700), NUMBERS, st.text(max_size=5), st.just(1.5),
    st.sampled_from(["consumer", "sme", "2026-06-01", "2026-02-30", "2026-6-1", "0001-01-01"]),
    st.sampled_from(["a\x00", "\u2028"]),
    st.lists(st.one_of(st.text(max_size=3), st.integers(0, 1)), max_size=3), st.just({}), st.just([[]]),
)  # fmt: skip
WHOLE = st.fixed_dictionaries(
    {"value": VALUES},
    optional={
        "as_of": st.sampled_from(["2026-05-31", "2026-01-01", "2026-06-02", None, "x", 5]),
        "source": st.sampled_from(["crm", 'a"b', "\x7f", 1]),
        "verified_by": st.sampled_from(["agent 17", "", None]),
        "verified_at": st.sampled_from(["2026-05-31T10:00:00+08:00", "2026-05-31", None]),
        "more": st.just(1),
    },
)
FACTS = st.dictionaries(
    st.sampled_from([*POLICY.policy.facts, "unknown", ""]), st.one_of(VALUES, WHOLE), max_size=12
)


@settings(max_examples=150, deadline=None)
@given(FACTS, st.lists(st.sampled_from([*PLAIN]), max_size=2))
def test_any_facts(facts: dict[str, Any], without: list[str]) -> None:
    some = {name: value for name, value in PLAIN.items() if name not in without}
    for given_facts in (facts, some | facts):
        body = body_of(given_facts)
        quick = quickly(body)
        assert quick is None or quick == by_model(body)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_fact_that_varies_is_answered_quickly_where_the_path_answers(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from([*POLICY.policy.facts]))
    body = body_of(PLAIN | {name: data.draw(st.one_of(VALUES, WHOLE))})
    quick, path = quickly(body), by_model(body)
    assert quick == path


@st.composite
def texts(draw: st.DrawFn) -> bytes:
    """JSON as nobody's library writes it: keys twice, escapes, blanks, numbers of all kinds, cut off."""
    values = st.sampled_from(
        ["1", "-0", "1.0", "1e2", "NaN", "Infinity", "-1", "9" * 34, "9" * 35, "true", "null", '"x"',
         '"\\u0061"', '"\\u0000"', '"\\ud800"', '"\\ud83d\\ude00"', '"a:b"', '"\x7f"', '"é"', "[]", '["a"]',
         "{}", "01", '"\t"']
    )  # fmt: skip
    names = st.sampled_from(["months", "direct", "note", "rate", "x", "m\\u006fnths", "a:b"])
    facts = [f'"{name}":{value}' for name, value in PLAIN_TEXTS]
    facts += draw(st.lists(st.builds('"{}" : {}'.format, names, values), max_size=3))
    parts = ['"policy":"all-kinds"', f'"facts":{{{",".join(draw(st.permutations(facts)))}}}']
    parts += draw(
        st.lists(
            st.sampled_from(['"as_of":"2026-06-01"', '"as_of":null', '"facts":{}', '"policy":"p"', '"x":1']),
            max_size=2,
        )
    )
    text = "{" + draw(st.sampled_from([",", " ,\n"])).join(parts) + "}"
    return text[: draw(st.sampled_from([None, None, None, -1]))].encode() + draw(
        st.sampled_from([b"", b" ", b"x", b"\xff", b"\x00"])
    )


PLAIN_TEXTS = [(name, json.dumps(value)) for name, value in PLAIN.items() if name != "note"]


@settings(max_examples=150, deadline=None)
@given(texts())
def test_any_text(body: bytes) -> None:
    quick = quickly(body)
    assert quick is None or quick == by_model(body)


@pytest.mark.parametrize(
    "facts",
    [
        PLAIN,
        PLAIN | {"bill": None, "rate": None},
        {name: PLAIN[name] for name in ("segment", "direct", "months")},
        PLAIN | {"bill": {"value": "80.10", "as_of": "2025-12-01", "source": "crm"}},
        PLAIN | {"checked": {"value": True, "verified_by": "agent 17"}},
        PLAIN | {"checked": {"value": True}},
        PLAIN | {"bill": "9000.00"},
        PLAIN | {"note": 'é "quoted" \\ \u2028', "owed": "0.00"},
    ],
)
def test_what_is_plain_is_answered_here(facts: dict[str, Any]) -> None:
    body = body_of(facts)
    quick = quickly(body)
    assert quick is not None
    assert quick == by_model(body)


def test_a_key_that_comes_twice_is_never_read_as_one() -> None:
    body = body_of(PLAIN).replace(b'"months": 2', b'"months": 2, "months": 3')
    with pytest.raises(BadJson, match="twice"):
        asked_in(body)


def test_another_policy_and_many_days_have_answers_of_their_own() -> None:
    answers = Answers(compiled(CREDIT))
    for day in range(1, 31):
        for month in (6, 7):
            as_of = date(2026, month, day)
            said = json.loads(answers.answer({"tenure_months": 3}, as_of))
            assert (said["as_of"], said["policy"]["name"]) == (as_of.isoformat(), "plain-credit")


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(
        st.text(), st.booleans(), st.integers(), st.decimals(allow_nan=False, allow_infinity=False), st.none()
    )
)
def test_values_are_written_as_the_model_writes_them(value: bool | int | Decimal | str | None) -> None:
    if isinstance(value, str) and any("\ud800" <= c <= "\udfff" for c in value):
        return  # stopped at the door
    fields: dict[str, Any] = {**_BLANK, "outcome": {"x": value}}
    assert f'"x":{json_text(value)}}}' in DecisionOut(**fields).model_dump_json()


_BLANK = {
    "policy": {"name": "p", "version": "1", "digest": "d", "engine": "e", "semantics": 1},
    "as_of": DAY, "status": "decided", "reasons": [], "facts": {},
}  # fmt: skip
