"""Days and instants as operators write them; what is not one is refused with what it may be."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.importer.days import COMMON, fault_of_form, moment, rivals
from tests.api.importer.offline import check

USING = """mapping: x
dates: {dates}
timezone: Europe/Berlin
rows:
  - account: {{id: A1, customer: C1, currency: EUR, timezone: Europe/Berlin}}
  - bill: {{account: A1, id: B1, value_date: "{{d}}", due_date: 2099-12-31, amount: "5"{more}}}
"""
KNOWN = ', received_at: {value: "{d}", at: "08:00"}'


def day(text: str, dates: str) -> str:
    """Return a day as read, or the refusal with its advice."""
    report, ledger = check(USING.format(dates=dates, more=""), f'd\n"{text}"\n')
    if report.rejects:
        return f"{report.rejects[0].message} {report.rejects[0].advice}"
    return str(ledger.entries["A1"][0].value_date)


SET = "Set `dates` in the mapping."


@pytest.mark.parametrize(
    ("text", "dates", "read"),
    [
        ("31.01.2026", '"%d.%m.%Y"', "2026-01-31"),
        ("1.2.2026", '["%d.%m.%Y"]', "2026-02-01"),
        ("31.01.26", '["%d.%m.%y"]', "2026-01-31"),
        ("31.01.68", '["%d.%m.%y"]', "2068-01-31"),
        ("02/03/2026", '["%d/%m/%Y"]', "2026-03-02"),
        ("02/03/2026", '["%m/%d/%Y"]', "2026-02-03"),
        ("20260131", '["%Y%m%d"]', "2026-01-31"),
        ("31-JAN-2026", '["%d-%b-%Y"]', "2026-01-31"),
        ("2026-031", '["%Y-%j"]', "2026-01-31"),
        ("2026-01-31 23:59", '["%Y-%m-%d %H:%M", "%Y-%m-%d"]', "2026-01-31"),
        ("2026-01-31T23:30:00+0800", '["%Y-%m-%dT%H:%M:%S%z"]', "2026-01-31"),
        ("2026-02-29", '["%Y-%m-%d"]', f"this is not a day written as `%Y-%m-%d`. {SET}"),
        ("2026113", '["%Y%m%d"]', f"this is not a day written as `%Y%m%d`. {SET}"),
        (
            "03/25/2026", '["%d/%m/%Y"]',
            "this is not a day written as `%d/%m/%Y`. It would fit `%m/%d/%Y`: set `dates` in the mapping.",
        ),
        (
            "02/03/26", '["%d/%m/%Y"]',
            "this is not a day written as `%d/%m/%Y`. It would fit `%d/%m/%y` or `%m/%d/%y`: set `dates` in "
            "the mapping.",
        ),
        (
            "46053", '["%d.%m.%Y"]',
            "this is not a day written as `%d.%m.%Y`. A spreadsheet counts days so, and this may be "
            "2026-01-31: save the column as text, with days written out.",
        ),
    ],
)  # fmt: skip
def test_days(text: str, dates: str, read: str) -> None:
    assert day(text, dates) == read


@pytest.mark.parametrize(
    ("text", "dates", "known"),
    [
        ("31.01.2026", '["%d.%m.%Y"]', "2026-01-31T08:00:00+01:00"),
        ("31.01.2026 14:35", '["%d.%m.%Y %H:%M", "%d.%m.%Y"]', "2026-01-31T14:35:00+01:00"),
        ("01/31/2026 02:35 PM", '["%m/%d/%Y %I:%M %p"]', "2026-01-31T14:35:00+01:00"),
        ("2026-01-31 14:35:10", '["%Y-%m-%d %H:%M:%S"]', "2026-01-31T14:35:10+01:00"),
        ("2026-01-31T14:35:10+0800", '["%Y-%m-%dT%H:%M:%S%z"]', "2026-01-31T14:35:10+08:00"),
    ],
)
def test_a_form_with_a_time_says_when_a_thing_became_known(text: str, dates: str, known: str) -> None:
    report, ledger = check(USING.format(dates=dates, more=KNOWN), f'd\n"{text}"\n')
    assert report.rejects == []
    assert ledger.entries["A1"][0].received_at.isoformat() == known


def test_forms_that_read_one_text_as_two_days() -> None:
    assert rivals(("%d/%m/%Y", "%m/%d/%Y")) == ("%d/%m/%Y", "%m/%d/%Y", "02/03/2026")
    assert rivals(("%d/%m/%Y", "%d/%m/%y", "%Y-%m-%d", "%d-%b-%Y", "%Y%m%d")) is None
    assert rivals(("%Y-%m-%d", "%Y-%d-%m")) is not None


@given(st.sampled_from(COMMON), st.dates(min_value=date(1970, 1, 1), max_value=date(2068, 12, 31)))
def test_a_common_form_is_one_and_reads_what_it_writes(form: str, when: date) -> None:
    assert fault_of_form(form) == ""
    text = datetime.combine(when, time(14, 35), UTC).strftime(form)
    found = moment(text, (form,))
    assert found is not None
    assert found[0].strftime(form) == text
