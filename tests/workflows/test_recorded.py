"""Recorded values outlive additions to their models."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload

from engine.ladder.state import Action, Taken, TakenRow
from workflows.chain import link, running_digest
from workflows.converter import DATA_CONVERTER
from workflows.recorded import recorded_digest

AT = datetime(2026, 3, 1, tzinfo=UTC)
CONVERTER = DATA_CONVERTER.payload_converter


class LaterRow(TakenRow):
    """A row as a later version might know it."""

    reviewed_by: str = ""


class LaterTaken(Taken):
    """A memory as a later version might know it."""

    rows: tuple[LaterRow, ...] = ()
    paused: bool = False


def taken() -> Taken:
    row = TakenRow(step="bar", entry=1, state="done", requested_at=AT, requested_on=AT.date())
    return Taken(case="case/A1/1", opened_at=AT, opened_on=AT.date(), rows=(row,), entries={"bar": 1})


def written(value: object) -> Payload:
    payload = CONVERTER.to_payload(value)
    assert payload
    return payload


def test_a_later_version_writes_what_it_read_byte_for_byte() -> None:
    payload = written(taken())
    later = CONVERTER.from_payload(payload, LaterTaken)
    assert written(later) == payload


def test_a_later_version_reads_an_old_value_to_the_same_digest() -> None:
    later = CONVERTER.from_payload(written(taken()), LaterTaken)
    assert recorded_digest(later) == recorded_digest(taken())
    assert link("", "step", later) == link("", "step", taken())


def test_a_field_that_is_used_changes_the_digest() -> None:
    later = CONVERTER.from_payload(written(taken()), LaterTaken)
    assert recorded_digest(later.model_copy(update={"paused": True})) != recorded_digest(taken())


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=0, max_value=10**9))
def test_amounts_come_back_with_every_digit(amount: Decimal) -> None:
    action = Action(key="k", do="fee", step="bar", amount=amount)
    back = CONVERTER.from_payload(written(action), Action)
    assert str(back.amount) == str(action.amount)


@given(st.lists(st.text(), max_size=6), st.integers(0, 6))
def test_a_running_digest_can_be_taken_up_anywhere(items: list[str], at: int) -> None:
    assert running_digest(running_digest("", items[:at]), items[at:]) == running_digest("", items)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers()), min_size=1, max_size=5), st.data())
def test_every_link_changes_the_head(links: list[tuple[str, int]], data: st.DataObject) -> None:
    def head(given_links: list[tuple[str, int]]) -> str:
        chain = ""
        for kind, value in given_links:
            chain = link(chain, kind, value)
        return chain

    place = data.draw(st.integers(0, len(links) - 1))
    dropped = links[:place] + links[place + 1 :]
    changed = [*links[:place], (links[place][0], links[place][1] + 1), *links[place + 1 :]]
    assert len({head(links), head(dropped), head(changed)}) == 3
