"""Write the sample ledger: `python -m api.demo.generate [FOLDER]`; the same files on every machine."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from api.demo.draws import Draws
from api.demo.profiles import Profile, build_profiles
from api.demo.stories import tell
from engine.ledger.entries import Entry
from engine.model import canonical

SEED = 20260101
SAMPLE = Path("fixtures/ledgers/sample")

CUSTOMERS = (
    "customer", "segment", "since", "value", "id_verified", "prior_write_off", "vulnerable", "direct_debit",
)  # fmt: skip
ACCOUNTS = ("account", "customer", "currency", "timezone")


def sample_files(seed: int = SEED) -> dict[str, bytes]:
    """Return the files of the sample ledger by name."""
    draws = Draws(seed)
    profiles = build_profiles(draws)
    owners = {p.customer: p for p in reversed(profiles)}
    lines = [
        (entry.received_at, profile.account, entry)
        for profile in profiles
        for entry in tell(profile, draws)
    ]  # fmt: skip
    lines.sort(key=lambda line: (line[0], line[1], line[2].kind, line[2].id))
    return {
        "customers.csv": _table(CUSTOMERS, [_customer(owners[c]) for c in sorted(owners)]),
        "accounts.csv": _table(ACCOUNTS, [_account(p) for p in profiles]),
        "entries.ndjson": b"".join(_line(account, entry) for _, account, entry in lines),
    }


def _line(account: str, entry: Entry) -> bytes:
    said = entry.model_dump(mode="json", exclude_defaults=True)
    return canonical({"account": account, **said, "kind": entry.kind}) + b"\n"


def _customer(profile: Profile) -> list[str]:
    debit = profile.method == "direct_debit"
    flags = (profile.id_verified, profile.prior_write_off, profile.vulnerable, debit)
    return [
        profile.customer, profile.segment, profile.since.isoformat(), profile.value,
        *("true" if flag else "false" for flag in flags),
    ]  # fmt: skip


def _account(profile: Profile) -> list[str]:
    return [profile.account, profile.customer, "CNY", profile.zone]


def _table(header: tuple[str, ...], rows: list[list[str]]) -> bytes:
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue().encode()


def main(folder: Path) -> None:
    """Write the files into a folder, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in sample_files().items():
        (folder / name).write_bytes(data)
        sys.stdout.write(f"{folder / name}: {data.count(bytes([10]))} lines\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else SAMPLE)
