from decimal import Decimal

from api.demo.show import Progress, money, share, table


def test_numbers_stand_right_and_words_left() -> None:
    shown = table(
        ("grade", "customers", "limit"), [("A", 12, Decimal("1500.5")), ("乙", 1_200, Decimal(3))], indent=""
    )
    assert shown.splitlines() == [
        "grade  customers     limit",
        "--------------------------",
        "A             12  1,500.50",
        "乙         1,200      3.00",
    ]


def test_a_table_without_rows_still_has_its_header() -> None:
    assert table(("a", "b"), [], indent="") == "a  b\n----"


def test_money_and_shares() -> None:
    assert money(Decimal("-1234567.5")) == "-1,234,567.50"
    assert share(1, 8) == "12.5 %"
    assert share(0, 0) == "-"


def test_steps_are_numbered_and_timed() -> None:
    said: list[str] = []
    progress = Progress(said.append, 2)
    with progress.step("Look") as result:
        result("seen")
    with progress.step("Leap"):
        pass
    assert said[0] == "[1/2] Look"
    assert said[1].startswith("      seen  (")
    assert said[2] == "[2/2] Leap"
