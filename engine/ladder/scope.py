"""What one case is about: the whole account, one bill, one instalment, or the debt of one service.

A case is named by its item. Its ladder sees the account cut down to that item; the account's receipts,
holds and promises stay in sight, because contact and patience are owed to a customer and not to a bill.
"""

from __future__ import annotations

from datetime import date

from engine.ladder.memory import Row
from engine.ladder.model import CaseRules
from engine.ladder.state import Taken
from engine.ledger.account import AccountPosition, Debt, DemandedLevel, Level
from engine.ledger.entries import Act

WHOLE = ""
"""The item of a case that is about the whole account, or about the debt of no service in particular."""


def is_divided(rules: CaseRules) -> bool:
    """Tell whether an account can have several cases at a time."""
    return rules.grain != "account" or rules.scope == "service"


def can_stand_beside(rules: CaseRules, other: CaseRules) -> bool:
    """Tell whether cases under two texts can be open at a time: both about the same parts of an account."""
    return is_divided(rules) and (rules.grain, rules.scope) == (other.grain, other.scope)


def item_of(rules: CaseRules, debt: Debt) -> str:
    """Return the item under which a debt is treated."""
    if rules.grain == "invoice":
        return debt.bill
    if rules.grain == "instalment":
        return debt.id
    return debt.service if rules.scope == "service" else WHOLE


def items(rules: CaseRules, account: AccountPosition) -> tuple[str, ...]:
    """Return what cases can be about now, by the due date of its oldest debt; an account is always one."""
    if not is_divided(rules):
        return (WHOLE,)
    owed = (debt for debt in account.debts if debt.open > 0 and not debt.written_off)
    return tuple(dict.fromkeys(item_of(rules, debt) for debt in owed))


def service_of(rules: CaseRules, account: AccountPosition, item: str) -> str:
    """Return the service that a case may cut; empty: the whole account's."""
    if rules.scope != "service":
        return ""
    return next((debt.service for debt in account.debts if item_of(rules, debt) == item), "")


def cut(rules: CaseRules, account: AccountPosition, item: str) -> AccountPosition:
    """Return the account as the case of an item sees it: its debts, and what is said of them."""
    if not is_divided(rules):
        return account
    debts = tuple(debt for debt in account.debts if item_of(rules, debt) == item)
    mine = {name for debt in debts for name in (debt.id, debt.bill)}
    return account.model_copy(
        update={
            "debts": debts,
            "disputes": tuple(d for d in account.disputes if mine & {d.bill, *dict(d.also)}),
            "holds": tuple(h for h in account.holds if not h.bill or h.bill in mine),
            "acts": tuple(act for act in account.acts if _concerns(act, mine, item)),
        }
    )


def demand_of(rules: CaseRules, taken: Taken, level: Level, today: date) -> DemandedLevel | None:
    """Return what a case demands of service, as the other cases of its account see it; None: nothing.

    The case of a whole account has none beside it. What has ended still demands what nothing has taken back.
    """
    if level == "open" or not is_divided(rules):
        return None
    since = min((row.requested_on for row in taken.rows if row.level), default=today)
    reason = f"arrears of {taken.item}" if taken.item else "arrears"
    return DemandedLevel(source=taken.case, level=level, reason=reason, since=since, service=taken.service)


def awaits_deposit(rules: CaseRules, taken: Taken, account: AccountPosition) -> bool:
    """Tell whether a case, of several, has asked for the deposit and the ledger has not booked it yet."""
    if not is_divided(rules):
        return False
    words = {receipt.key: receipt.status for receipt in account.receipts}
    for row in map(Row.of, taken.rows):
        row.words |= {key: words[key] for key in row.keys if key in words}
        row.await_deposit(account.deposit)
        if row.deposit:
            return True
    return False


def _concerns(act: Act, mine: set[str], item: str) -> bool:
    return not act.item or act.item in mine or act.item == item
