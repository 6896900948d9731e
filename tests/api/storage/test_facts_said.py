"""Facts about customers as they are stored: their digest is that of their canonical text."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from api.storage.customers import fact_digest
from engine.credit.decision import Fact
from engine.model import canonical, digest

ZONES = [UTC, ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
DAYS = st.none() | st.dates(date(1970, 1, 1), date(2199, 1, 1))
INSTANTS = st.none() | st.datetimes(
    datetime(2000, 1, 1),  # noqa: DTZ001  # the zone is drawn
    datetime(2100, 1, 1),  # noqa: DTZ001  # the zone is drawn
    timezones=st.sampled_from(ZONES),
)
VALUES = st.none() | st.booleans() | st.integers() | TEXTS | st.tuples(TEXTS) | st.just(Decimal("1.50"))


@given(TEXTS, VALUES, DAYS, TEXTS, TEXTS, INSTANTS)
def test_a_digest_put_together_is_the_digest_of_the_whole(
    name: str, value: object, as_of: date | None, source: str, by: str, at: datetime | None
) -> None:
    fact = Fact(value=value, as_of=as_of, source=source, verified_by=by, verified_at=at)
    whole = digest({"name": name} | fact.model_dump(mode="json"))
    assert fact_digest(name, fact, canonical(fact.value)) == whole
