"""A ledger in memory that answers like the bulk path: a dry run needs no server."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import ValidationError

from api.importer.posting import Mode
from api.rest import entry_bodies as bodies
from api.rest.accounts import AccountBody
from api.rest.bulk_bodies import Rows
from api.rest.customers import CustomerBody
from api.rest.errors import problem_of, validation_problem
from api.rest.strict_json import BadJson, loads
from api.storage.entries import require_currency, same_or_refused
from api.storage.errors import AlreadyThere, EntryRefused, StorageError
from engine.ledger import Entry, Terms, entry_problems

_STANDS = frozenset({"kind", "received_at", "facts"})
"""What may differ when a customer or an account is said again."""


class OfflineLedger:
    """Customers, accounts and entries of one file; an account that the file does not make is taken as known.

    `at` is the instant at which everything becomes known that does not say so itself.
    """

    def __init__(self, at: datetime) -> None:
        self._at = at
        self.terms: dict[str, Terms] = {}
        """Accounts that the file makes, by id."""
        self.entries: dict[str, list[Entry]] = {}
        """Entries by account, in the order of the file."""
        self._parties: dict[tuple[str, str], dict[str, Any]] = {}
        self._names: dict[tuple[str, str, str], Entry] = {}

    def post(self, body: bytes, mode: Mode, dry_run: bool) -> list[dict[str, Any]]:
        """Answer each row as the server would: 201, 200 for what was there, else with its problem."""
        del mode, dry_run  # nothing here outlives the run
        return [
            {"line": number, **self._answer(text)}
            for number, text in enumerate(body.split(b"\n"), start=1)
            if text.strip()
        ]

    def _answer(self, text: bytes) -> dict[str, Any]:
        try:
            new = self._take(Rows.validate_python(loads(text), strict=False))
        except ValidationError as error:
            said = validation_problem(error.errors(include_url=False), prefix=1)
        except (BadJson, StorageError) as error:
            said = problem_of(error) or {"status": 422, "detail": str(error)}
        else:
            return {"status": 201 if new else 200}
        return {"status": said["status"], "problem": said}

    def _take(self, row: Any) -> bool:
        if isinstance(row, CustomerBody | AccountBody):
            return self._take_party(row)
        entry = bodies.to_entry(row, row.received_at or self._at)
        if row.currency and row.account in self.terms:
            require_currency(row.account, self.terms[row.account].currency, entry, row.currency)
        name = (row.account, entry.kind, entry.id)
        if (twin := self._names.get(name)) is not None:
            same_or_refused(twin, entry)
            return False
        terms = self.terms.get(row.account) or Terms(
            account=row.account, customer="unknown", currency="XXX", timezone="UTC"
        )
        known = self.entries.setdefault(row.account, [])
        if problems := entry_problems(terms, known, entry):
            raise EntryRefused(entry.kind.replace("_", " "), entry.id, problems)
        known.append(entry)
        self._names[name] = entry
        return True

    def _take_party(self, row: CustomerBody | AccountBody) -> bool:
        kind = "account" if isinstance(row, AccountBody) else "customer"
        said = row.model_dump(exclude=set(_STANDS))
        stored = self._parties.get((kind, row.id))
        if stored is not None:
            if differs := [field for field, value in said.items() if stored[field] != value]:
                raise AlreadyThere(kind, row.id, differs)
            return False
        self._parties[kind, row.id] = said
        if isinstance(row, AccountBody):
            self.terms[row.id] = Terms(
                account=row.id, customer=row.customer, currency=row.currency, timezone=row.timezone,
                allocation=row.allocation,
            )  # fmt: skip
        return True
