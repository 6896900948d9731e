"""Open cases that go over to another text: rows by their names, nothing cut that day, nothing done twice."""

from __future__ import annotations

import pytest

from engine.ladder import TimelineReport, load_collections, render_report, run_timelines
from engine.ladder.adopting import adopts, check_adoption
from engine.source import render_problem
from tests.engine.ladder.world import calendar, law, texts_of

TEXTS = texts_of("collections-by-invoice")
FIRST = TEXTS["policy.yaml"].decode().replace("grain: invoice", "grain: account")
SECOND = FIRST.replace('version: "2026.1"', 'version: "2026.2"').replace("2026-01-01", "2026-02-20")
BILL = "      - {on: 2026-01-05, bill: B1, amount: 300.00, due: 2026-01-25}\n"


def played(second: str, history: str, expect: str, first: str = FIRST) -> tuple[TimelineReport, str]:
    texts = TEXTS | {"policy.yaml": first.encode(), "next.yaml": second.encode()}
    loaded = load_collections(texts)
    assert loaded.policy, loaded.problems
    cases = f"policy: invoice-collections\ncases:\n  - case: x\n    history:\n{history}    expect:\n{expect}"
    report = run_timelines(loaded.policy, law(), calendar(), cases.encode(), "cases.yaml", texts=texts)
    return report, render_report(report, {"cases.yaml": cases, "next.yaml": second})


def holds(second: str, history: str, expect: str, first: str = FIRST) -> None:
    report, told = played(second, history, expect, first)
    assert report.ok, told
    assert report.results


def test_what_would_be_cut_on_the_day_of_the_change_is_cut_on_the_next() -> None:
    holds(
        SECOND, BILL + "      - {on: 2026-02-25, policy: next.yaml}\n",
        "      - {on: 2026-02-25, do: nothing, wake: 2026-02-26}\n"
        "      - {on: 2026-02-26, do: [bar service(outgoing_barred)]}\n",
    )  # fmt: skip


def test_a_step_that_is_given_up_is_undone_at_once() -> None:
    row = next(line for line in SECOND.splitlines(keepends=True) if line.strip().startswith("| bar "))
    without = SECOND.replace(row, "").replace("| bar          | P7D ", "| final_notice | P14D")
    holds(
        without + "maps: {bar: none}\n", BILL + "      - {on: 2026-03-02, policy: next.yaml}\n",
        "      - {on: 2026-02-25, level: outgoing_barred}\n"
        '      - {on: 2026-03-02, do: ["undo bar service(open)"], level: open, says: "`bar` is given up"}\n'
        "      - {on: 2026-03-11, since: 2026-03-03, do: [suspend service(suspended)]}\n",
    )  # fmt: skip


def test_a_step_keeps_its_number_under_its_new_name() -> None:
    renamed = SECOND.replace("| bar  ", "| curb ") + "maps: {bar: curb}\n"
    holds(
        renamed,
        BILL
        + "      - {on: 2026-02-26, hold: disaster, until: 2026-03-05}\n"
        + "      - {on: 2026-03-02, policy: next.yaml}\n",
        "      - {on: 2026-02-26, do: [undo bar service(open)], level: open}\n"
        "      - {on: 2026-03-02, do: nothing, rows: [reminder, final_notice]}\n"
        "      - {on: 2026-03-09, since: 2026-03-03, do: [curb/2 service(outgoing_barred)]}\n",
    )


def test_a_pinned_case_stays_under_its_text() -> None:
    pinned = FIRST.replace("binding: adopt", "binding: pin")
    renamed = SECOND.replace("| bar  ", "| curb ")
    holds(
        renamed, BILL + "      - {on: 2026-02-20, policy: next.yaml}\n",
        "      - {on: 2026-02-25, do: [bar service(outgoing_barred)]}\n", pinned,
    )  # fmt: skip


def test_a_case_that_went_over_to_a_pinned_text_stays_there() -> None:
    pinned = SECOND.replace("binding: adopt", "binding: pin")
    loaded = load_collections(TEXTS | {"policy.yaml": pinned.encode()}).policy
    first = load_collections(TEXTS | {"policy.yaml": FIRST.encode()}).policy
    assert loaded
    assert first
    assert adopts(first, loaded)
    assert not adopts(loaded, first)
    assert not adopts(first, first)


def test_what_the_new_text_would_not_do_yet_is_undone_and_not_called_wrong() -> None:
    stricter = SECOND.replace("| bar           | >= 31", "| bar           | >= 44")
    report, told = played(
        stricter, BILL + "      - {on: 2026-02-26, policy: next.yaml}\n",
        "      - {on: 2026-02-26, do: [undo bar service(open)], level: open}\n"
        "      - {on: 2026-03-12, since: 2026-02-27, do: [bar/2 service(outgoing_barred)]}\n",
    )  # fmt: skip
    assert report.ok, told


def test_a_text_without_a_step_is_refused_with_what_to_write() -> None:
    renamed = SECOND.replace("| bar  ", "| barr ")
    change = "      - {on: 2026-02-26, policy: next.yaml}\n"
    _, told = played(renamed, BILL + change, "      - {on: 2026-03-01, open: true}\n")
    assert "it has no step `bar`, which the text in force (version 2026.1) has in ladder `standard`" in told
    assert "add `maps: {bar: <its new name>}`, or `maps: {bar: none}` to give it up" in told
    assert "did you mean `barr`?" in told


def test_every_step_that_is_gone_is_told_at_once() -> None:
    first = load_collections(TEXTS | {"policy.yaml": FIRST.encode()}).policy
    text = SECOND.replace("| bar  ", "| curb ").replace("| suspend ", "| stop    ").replace("CNY", "EUR")
    new = load_collections(TEXTS | {"policy.yaml": text.encode()}).policy
    assert first
    assert new
    found = check_adoption(first, new)
    assert [problem.code for problem in found] == ["adoption-changes-case", "step-removed", "step-removed"]
    said = [render_problem(problem, {"policy.yaml": text}) for problem in found]
    assert len(said) == 3
    assert "open cases count in CNY, and would count in EUR" in said[0]
    assert ["`bar`" in said[1], "`suspend`" in said[2]] == [True, True]


PAID_AND_BOUNCED = BILL + (
    "      - {on: 2026-02-18, payment: 300.00, id: P1}\n"
    "      - {on: 2026-02-20, policy: next.yaml}\n"
    "      - {on: 2026-02-23, returned: P1, reason: bounced}\n"
)


@pytest.mark.parametrize("name", ["final_notice", "last_call"])
def test_a_notice_that_was_renamed_after_the_case_ended_stands_again_after_a_bounce(name: str) -> None:
    """The case of before has ended, so no adoption has renamed its rows: the next one does."""
    second = SECOND.replace("final_notice  |", f"{name}  |").replace(" final_notice |", f" {name} |")
    second += f"maps: {{final_notice: {name}}}\n" if name != "final_notice" else ""
    holds(
        second, PAID_AND_BOUNCED,
        "      - {on: 2026-02-18, open: false, ended: cured}\n"
        f'      - {{on: 2026-02-23, do: nothing, rows: [reminder, {name}], says: "`{name}` of 2026-02-14"}}\n'
        "      - {on: 2026-02-25, since: 2026-02-24, do: [bar service(outgoing_barred)]}\n",
    )  # fmt: skip


def test_steps_put_together_after_the_case_ended_stand_again_once() -> None:
    row = next(line for line in SECOND.splitlines(keepends=True) if line.strip().startswith("| reminder "))
    second = SECOND.replace(row, "").replace("| reminder     |", "| -            |")
    second = second.replace(
        "| -            | P7D  || notify(letter", "| -            | -    || notify(letter"
    )
    holds(
        second + "maps: {reminder: final_notice}\n", PAID_AND_BOUNCED,
        "      - {on: 2026-02-23, do: nothing, rows: [final_notice]}\n"
        "      - {on: 2026-02-25, since: 2026-02-24, do: [bar service(outgoing_barred)]}\n",
    )  # fmt: skip
