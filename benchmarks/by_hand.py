"""`policy.yaml` as a programmer writes it: Decimal in, Decimal out, the same outputs."""

from __future__ import annotations

from decimal import Decimal

ZERO, TEN, HUNDRED, FIVE_HUNDRED, THOUSAND = (
    Decimal(0),
    Decimal("10.00"),
    Decimal("100.00"),
    Decimal("500.00"),
    Decimal("1000.00"),
)
B20, B50, B120, B400 = Decimal("20.00"), Decimal("50.00"), Decimal("120.00"), Decimal("400.00")
R50, R80, R95 = Decimal("0.50"), Decimal("0.80"), Decimal("0.95")
GRADES = {"consumer": (500, 440, 380, 320), "sme": (490, 430, 370, 310), "key": (460, 400, 340, 280)}
TERMS: dict[tuple[str, str, str], tuple[Decimal, Decimal, Decimal]] = {}
for _grade, _segment, _values, _multiple, _floor, _cap in (
    ("A", "consumer", "high", "4.00", "300.00", "3000.00"),
    ("A", "consumer", "mid", "3.00", "200.00", "2000.00"),
    ("A", "consumer", "low", "2.50", "150.00", "1500.00"),
    ("B", "consumer", "high", "3.00", "200.00", "2000.00"),
    ("B", "consumer", "mid", "2.00", "100.00", "1000.00"),
    ("B", "consumer", "low", "1.75", "80.00", "800.00"),
    ("C", "consumer", "high", "1.75", "60.00", "600.00"),
    ("C", "consumer", "low mid", "1.50", "50.00", "500.00"),
    ("D", "consumer", "low mid high", "1.00", "30.00", "200.00"),
    ("A", "sme", "high", "4.00", "500.00", "60000.00"),
    ("A", "sme", "mid", "3.50", "500.00", "40000.00"),
    ("A", "sme", "low", "3.00", "500.00", "30000.00"),
    ("B", "sme", "high", "3.00", "300.00", "30000.00"),
    ("B", "sme", "low mid", "2.00", "300.00", "15000.00"),
    ("C", "sme", "high", "1.75", "250.00", "9000.00"),
    ("C", "sme", "low mid", "1.50", "200.00", "8000.00"),
    ("D", "sme", "low mid high", "1.00", "100.00", "3000.00"),
    ("A", "key", "high", "6.00", "900.00", "900000.00"),
    ("A", "key", "low mid", "4.00", "900.00", "600000.00"),
    ("B", "key", "high", "4.00", "900.00", "500000.00"),
    ("B", "key", "low mid", "3.00", "900.00", "400000.00"),
    ("C", "key", "low mid high", "2.00", "900.00", "200000.00"),
    ("D", "key", "low mid high", "1.00", "900.00", "50000.00"),
    ("E", "consumer", "low mid high", "0", "0", "0"),
    ("E", "sme", "low mid high", "0", "0", "0"),
    ("E", "key", "low mid high", "0", "0", "0"),
):
    for _value in _values.split():
        TERMS[_grade, _segment, _value] = (Decimal(_multiple), Decimal(_floor), Decimal(_cap))
M0, M25, M50, M75, M100, M125, M150, M200 = map(
    Decimal, ("0", "0.25", "0.5", "0.75", "1", "1.25", "1.5", "2")
)


def decide(
    segment: str, value: str, id_verified: bool, prior_write_off: bool, direct_debit: bool, tenure: int,
    bill: Decimal, dpd: int | None, arrears: int, late: int, returned: int, on_time: Decimal | None,
    suspensions: int, promises: int, overdue: Decimal,
) -> tuple[str, Decimal, Decimal, list[str]]:  # fmt: skip
    """Return grade, credit limit, deposit and reason codes."""
    reasons = []
    if prior_write_off:
        reasons.append("KO_WRITE_OFF")
    if not id_verified:
        reasons.append("KO_IDENTITY")
    if dpd is not None and dpd >= 90:
        reasons.append("KO_DPD")
    if suspensions >= 3:
        reasons.append("KO_SUSPENSIONS")
    if overdue >= THOUSAND:
        reasons.append("KO_OVERDUE")
    if returned >= 5:
        reasons.append("KO_RETURNED")
    if promises >= 4:
        reasons.append("KO_PROMISES")
    if arrears >= 8:
        reasons.append("KO_ARREARS")
    score = 200
    score += 0 if tenure < 3 else 15 if tenure < 12 else 30 if tenure < 24 else 40 if tenure < 60 else 55
    score += 20 if dpd is None else 55 if dpd == 0 else 35 if dpd < 30 else 10 if dpd < 60 else 0
    score += 45 if late == 0 else 30 if late == 1 else 20 if late == 2 else 10 if late < 5 else 0
    score += 45 if arrears == 0 else 25 if arrears == 1 else 15 if arrears == 2 else 5 if arrears < 5 else 0
    if on_time is None:
        score += 15
    else:
        score += 0 if on_time < R50 else 10 if on_time < R80 else 25 if on_time < R95 else 40
    score += 10 if bill < B20 else 20 if bill < B50 else 35 if bill < B120 else 25 if bill < B400 else 15
    score += (
        40 if overdue == ZERO else 30 if overdue <= TEN else 15 if overdue <= HUNDRED
        else 5 if overdue <= FIVE_HUNDRED else 0
    )  # fmt: skip
    score += (
        40 if returned == 0 else 20 if returned == 1 else 10 if returned == 2 else 5 if returned == 3 else 0
    )
    if reasons:
        grade = "E"
    else:
        a, b, c, d = GRADES[segment]
        grade = (
            "A" if score >= a else "B" if score >= b else "C" if score >= c else "D" if score >= d else "E"
        )
    multiple, floor, cap = TERMS[grade, segment, value]
    limit = max(floor, min(cap, bill * multiple))
    if grade == "A":
        return grade, limit, bill * M0, reasons
    if grade == "B":
        months = M0 if direct_debit or tenure >= 6 else M25
    elif grade == "C":
        months = (M0 if tenure >= 12 else M25) if direct_debit else (M50 if tenure >= 12 else M75)
    elif grade == "D":
        months = M100 if direct_debit else M125 if tenure >= 12 else M150
    else:
        months = M200
    if tenure < 3:
        reasons.append("NEW")
    elif tenure < 12:
        reasons.append("SHORT")
    if dpd is None:
        reasons.append("NO_HISTORY")
    elif 1 <= dpd < 30:
        reasons.append("LATE")
    elif dpd >= 30:
        reasons.append("VERY_LATE")
    if 2 <= late <= 4:
        reasons.append("OFTEN_LATE")
    elif late >= 5:
        reasons.append("ALWAYS_LATE")
    if 1 <= arrears <= 2:
        reasons.append("ARREARS")
    elif arrears >= 3:
        reasons.append("MANY_ARREARS")
    if 1 <= returned <= 2:
        reasons.append("RETURNED")
    elif returned >= 3:
        reasons.append("MANY_RETURNED")
    if ZERO < overdue <= HUNDRED:
        reasons.append("OVERDUE")
    elif overdue > HUNDRED:
        reasons.append("MUCH_OVERDUE")
    return grade, limit, bill * months, reasons
