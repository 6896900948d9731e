import gzip
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from api.demo.draws import Draws
from api.demo.uci_file import NEEDED, UciCustomer, UciFileError, read_uci
from api.demo.uci_ledger import StatementRule, fell_due, ledger_of, month_end, months_late
from api.demo.uci_sample import STRATA, default_rates, is_monotone, stratified
from engine.ledger.entries import Bill, Payment

RULE = StatementRule()
UCI = Path(__file__).parents[4] / "shared/data/taiwan_credit_card_default.csv.gz"


def customer(
    status: tuple[int, ...], billed: tuple[int, ...] = (50_000,) * 6, paid: tuple[int, ...] = (2_000,) * 6
) -> UciCustomer:
    """A customer, months from April to September."""
    return UciCustomer(7, 200_000, status, billed, paid, defaulted=False)


def late_by_month(someone: UciCustomer) -> list[int]:
    entries = ledger_of(someone, RULE, Draws(1))
    return [months_late(entries, month_end(RULE, m)) for m in range(1, 6)]


@pytest.mark.parametrize(
    ("status", "late"),
    [
        ((0, 0, 0, 0, 0, 0), [0, 0, 0, 0, 0]),
        ((-1, -1, -1, -2, -1, -1), [0, 0, 0, 0, 0]),
        ((0, 0, 0, 0, 0, 1), [0, 0, 0, 0, 1]),
        ((0, 1, 2, 3, 4, 5), [1, 2, 3, 4, 5]),
        ((0, 0, 0, 2, 2, 2), [0, 1, 2, 2, 2]),  # the older months never say 1: a 2 was 1 the month before
        ((0, 0, 0, 2, 0, 0), [0, 1, 2, 0, 0]),
        ((2, 2, 2, 0, 0, 0), [1, 2, 0, 0, 0]),  # bills before April are not in the file
        ((8, 8, 8, 8, 8, 8), [1, 2, 3, 4, 5]),
    ],
)
def test_the_ledger_is_as_late_as_the_file_says(status: tuple[int, ...], late: list[int]) -> None:
    assert late_by_month(customer(status)) == late


def test_bills_are_issued_on_the_last_day_and_due_twenty_days_later() -> None:
    bills = [e for e in ledger_of(customer((0,) * 6), RULE, Draws(1)) if isinstance(e, Bill)]
    assert [b.value_date for b in bills][:2] == [date(2005, 4, 30), date(2005, 5, 31)]
    assert [b.due_date for b in bills][:2] == [date(2005, 5, 20), date(2005, 6, 20)]
    assert [b.id for b in bills][-1] == "S-00007-0509"


def test_what_fell_due_is_what_was_paid_in_time_or_the_stated_share() -> None:
    assert fell_due(customer((0,) * 6), 0, RULE) == Decimal(2_000)
    assert fell_due(customer((0, 1, 0, 0, 0, 0)), 0, RULE) == Decimal(2_000)  # 4 % of 50,000
    assert fell_due(customer((0, 1, 0, 0, 0, 0), billed=(900,) * 6), 0, RULE) == Decimal(900)
    assert fell_due(customer((0, 1, 0, 0, 0, 0), billed=(9_000,) * 6), 0, RULE) == Decimal(1_000)
    assert fell_due(customer((1,) * 6, billed=(-20,) * 6), 0, RULE) == 0


def test_money_paid_while_late_goes_to_the_oldest_bill_and_leaves_it_open() -> None:
    entries = ledger_of(customer((0, 1, 2, 3, 4, 5), paid=(0, 0, 300, 0, 0, 0)), RULE, Draws(1))
    payments = [e for e in entries if isinstance(e, Payment)]
    assert [(p.amount, p.pays[0].bill) for p in payments] == [(Decimal(300), "S-00007-0504")]


def write(tmp_path: Path, *rows: str, header: str = ",".join(NEEDED)) -> Path:
    path = tmp_path / "clients.csv"
    path.write_text("\n".join(["\ufeff" + header, *rows]) + "\n", encoding="utf-8")
    return path


GOOD = ",".join(["1", "20000", *["0"] * 6, *["100"] * 6, *["10"] * 6, "1"])


@pytest.mark.parametrize(
    ("rows", "header", "sentence"),
    [
        ((GOOD,), "ID,LIMIT_BAL", "has no column `PAY_6`"),
        ((GOOD, GOOD), None, "line 3: `ID` 1 stands there twice"),
        ((GOOD.replace("20000", "2e4"),), None, "line 2, column `LIMIT_BAL`: `2e4` is not a whole number"),
        (("1,20000",), None, "line 2, column `PAY_6`: `` is not a whole number"),
    ],
)
def test_a_wrong_file_is_named_by_place(
    tmp_path: Path, rows: tuple[str, ...], header: str | None, sentence: str
) -> None:
    path = write(tmp_path, *rows, header=header or ",".join(NEEDED))
    with pytest.raises(UciFileError) as raised:
        read_uci(path)
    assert sentence in str(raised.value)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    workbook = tmp_path / "clients.xls"
    workbook.write_bytes(b"\xd0\xcf\x11\xe0\xff")
    with pytest.raises(UciFileError, match="CSV export"):
        read_uci(workbook)
    cut = tmp_path / "clients.csv.gz"
    cut.write_bytes(gzip.compress(GOOD.encode())[:-4])
    with pytest.raises(UciFileError, match="cannot be unpacked"):
        read_uci(cut)
    whole = bytearray(gzip.compress(GOOD.encode() * 200))
    whole[20:30] = b"\xff" * 10
    cut.write_bytes(whole)
    with pytest.raises(UciFileError, match="cannot be unpacked"):
        read_uci(cut)


def test_a_file_without_customers_and_an_open_quote_are_told(tmp_path: Path) -> None:
    with pytest.raises(UciFileError, match="a header and no customers"):
        read_uci(write(tmp_path))
    with pytest.raises(UciFileError, match="Is a quote left open"):
        read_uci(write(tmp_path, GOOD, '"' + "2" * 140_000))


def test_grades_that_order_defaults_are_monotone() -> None:
    people = [UciCustomer(n, 1, (0,) * 6, (0,) * 6, (0,) * 6, n % 3 == 0) for n in range(1, 10)]
    grades = {p.customer: "B" if p.defaulted else "A" for p in people}
    rows = default_rates(people, grades)
    assert [(r.grade, r.customers, r.defaults) for r in rows] == [("A", 6, 0), ("B", 3, 3)]
    assert is_monotone(rows)
    assert not is_monotone(rows[::-1])


@pytest.mark.kit
def test_the_real_file_gives_the_published_figures_and_a_full_sample() -> None:
    if not UCI.exists():
        pytest.skip("the UCI file is not here")
    people = read_uci(UCI)
    assert len(people) == 30_000
    assert sum(p.defaulted for p in people) == 6_636
    assert sum(p.limit for p in people) == 5_024_529_680
    assert sum(p.billed[5] for p in people) == 1_536_699_927
    assert sum(p.status[5] >= 2 for p in people) == 3_130
    chosen = stratified(people, Draws(1), lambda p: any(fell_due(p, s, RULE) > 0 for s in range(5)))
    assert len(chosen) == sum(STRATA.values()) >= 300
    some = people[::10]
    same = [
        months_late(ledger_of(p, RULE, Draws(1)), month_end(RULE, m)) == max(0, p.status[m])
        for p in some
        for m in range(1, 6)
    ]
    assert sum(same) / len(same) > 0.92  # what the mapping's header states
