"""What the policy of an account makes of an entry: it is kept, but never without a word."""

from __future__ import annotations

from sqlmodel import Session

from api.storage.accounts import get_account
from api.storage.fact_notes import sentence
from api.storage.library import Library
from api.storage.opening import treating
from engine.credit.facts import refused
from engine.ladder import CollectionsPolicy
from engine.ledger import Entry
from engine.ledger.entries import FactSet, Hold
from engine.text import did_you_mean


def notes_on(session: Session, library: Library, account: str, entry: Entry) -> list[str]:
    """Return in words what an account's collections policy does not know of a hold or a fact, or refuses."""
    if not isinstance(entry, Hold | FactSet):
        return []
    policy = treating(session, library, get_account(session, account), entry.value_date)
    if policy is None:
        return []
    return _on_hold(policy, entry) if isinstance(entry, Hold) else _on_fact(policy, entry)


def _on_hold(policy: CollectionsPolicy, hold: Hold) -> list[str]:
    if hold.hold in policy.holds:
        return []
    why = f"The policy `{policy.name}` knows no hold `{hold.hold}`: it stops further steps, and nothing else"
    return [sentence(why, did_you_mean(hold.hold, policy.holds, of="it knows"))]


def _on_fact(policy: CollectionsPolicy, fact: FactSet) -> list[str]:
    definition = policy.facts.get(fact.name)
    if definition is None:
        why = f"The policy `{policy.name}` reads no fact `{fact.name}`"
        return [sentence(why, did_you_mean(fact.name, policy.facts, of="it reads"))]
    if fact.value is None or not (found := refused(definition, fact.value, policy.currency)):
        return []
    return [sentence(f"The policy `{policy.name}` would refuse `{fact.name}`: it {found[0]}", found[1])]
