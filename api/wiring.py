"""The object graph, built once from the settings; everything else receives what it needs."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from temporalio.client import Client
from temporalio.service import TLSConfig

from api.matcher import Matcher
from api.relay.alerts import AlertCourier
from api.relay.clock import SystemClock
from api.relay.courier import Courier
from api.relay.mailer import Mailer, MailRefused, MailSettings
from api.relay.receiver import Receiver
from api.relay.relay import Relay
from api.relay.secrets import WebhookSecrets
from api.settings import Settings
from api.storage.acting import Acting
from api.storage.announcing import Announcing
from api.storage.cases import SqlCaseBook
from api.storage.decisions import SqlDecisionBook
from api.storage.directory import DataDirectory, open_directory
from api.storage.evidence import SqlEvidence
from api.storage.facts import FactGatherer
from api.storage.idempotency import IdempotencyKeys
from api.storage.ledger import LedgerWriter, SqlLedger
from api.storage.library import Library
from api.storage.lowered import LimitNews
from api.storage.migrate import upgrade
from api.storage.opening import Opening
from api.storage.positions import Positions
from api.storage.publishing import Publisher
from api.storage.regrading import Regrading
from api.storage.session import Database
from api.storage.shelf import SqlPolicyShelf
from api.storage.stopped import Stopped
from api.storage.watch_actions import AlertDesk
from api.storage.watch_book import SqlWatchBook
from api.storage.watch_events import WatchEvents
from api.storage.watch_ledger import LedgerNews
from api.watching.watcher import Watcher
from workflows.converter import DATA_CONVERTER


@dataclass
class Wiring:
    """Every part, ready to use; `temporal` is set once somebody has connected."""

    settings: Settings
    directory: DataDirectory
    clock: SystemClock
    database: Database
    library: Library
    positions: Positions
    publisher: Publisher
    shelf: SqlPolicyShelf
    ledger: SqlLedger
    writer: LedgerWriter
    cases: SqlCaseBook
    decisions: SqlDecisionBook
    evidence: SqlEvidence
    keys: IdempotencyKeys
    courier: Courier
    relay: Relay
    events: WatchEvents
    desk: AlertDesk
    watcher: Watcher
    matcher: Matcher
    stopped: Stopped
    receiver: Receiver | None = None
    temporal: Client | None = field(default=None)
    ended: dict[str, str] = field(default_factory=dict)
    """What ran beside the service and has ended, each with a sentence."""

    @property
    def simulated(self) -> bool:
        """Tell whether business time may differ from the system's."""
        return self.directory.simulated

    def close(self) -> None:
        """Let go of threads, files and connections."""
        self.relay.close()
        self.watcher.close()
        self.matcher.close()
        if self.receiver is not None:
            self.receiver.close()
        self.database.close()


def build(settings: Settings, *, simulated: bool | None = None, make: bool = True) -> Wiring:
    """Open the data directory, bring its database up to date and connect all parts.

    `simulated` says what the directory must be; None takes what is there; `make` one that is not there.
    Raises DirectoryRefused, DatabaseTooNew and ReceiverRefused.
    """
    directory = open_directory(settings.data, datetime.now(UTC), simulated=simulated, make=make)
    clock = SystemClock(simulated=directory.simulated)
    database = Database(settings.database_url, durable=not directory.simulated)
    upgrade(database)
    library, positions = Library(), Positions()
    opening = Opening(library, clock.offset)
    acting = Acting(positions, library)
    events = WatchEvents(library)
    news = LedgerNews(events, library)
    regrading = Regrading(library)
    writer = LedgerWriter(positions, opening, news, regrading, acting.levels)
    receiver = _receiver(settings, directory)
    stopped = Stopped(database, settings.webhook_url)
    courier = Courier(database, acting, writer, receiver, clock.now, stopped, _mailer(settings, directory))
    keys = IdempotencyKeys(database)
    desk, matcher = AlertDesk(regrading), Matcher()
    watcher = Watcher(SqlWatchBook(database, library, desk), matcher, clock.now)
    database.on_watched(watcher.wake)
    return Wiring(
        settings=settings,
        directory=directory,
        clock=clock,
        database=database,
        library=library,
        positions=positions,
        publisher=Publisher(database),
        shelf=SqlPolicyShelf(database, library.law),
        ledger=SqlLedger(database, positions, library, FactGatherer()),
        writer=writer,
        cases=SqlCaseBook(database, positions, opening, acting, news, Announcing(library, acting), regrading),
        decisions=SqlDecisionBook(database, regrading, LimitNews(positions, news).decided),
        evidence=SqlEvidence(database, directory.evidence),
        keys=keys,
        courier=courier,
        relay=Relay(database, courier, clock, keys, AlertCourier(database, receiver, clock.now, stopped)),
        stopped=stopped,
        receiver=receiver,
        events=events,
        desk=desk,
        watcher=watcher,
        matcher=matcher,
    )


async def connect(settings: Settings, identity: str, address: str = "") -> Client:
    """Connect to Temporal: at `address`, else where the settings say.

    The identity is explicit: Temporal's own would write this machine's name into every history.
    """
    target = address or settings.temporal or f"127.0.0.1:{settings.temporal_port}"
    return await Client.connect(
        target,
        namespace=settings.temporal_namespace,
        data_converter=DATA_CONVERTER,
        identity=identity,
        tls=_tls(settings),
    )


def _tls(settings: Settings) -> TLSConfig | bool:
    if not settings.temporal_tls:
        return False
    return TLSConfig(
        server_root_ca_cert=_bytes(settings.temporal_ca),
        client_cert=_bytes(settings.temporal_cert),
        client_private_key=_bytes(settings.temporal_key),
    )


def _bytes(path: Path | None) -> bytes | None:
    return path.read_bytes() if path else None


def _receiver(settings: Settings, directory: DataDirectory) -> Receiver | None:
    if not settings.webhook_url:
        return None
    inside = settings.webhook_inside or directory.simulated
    return Receiver(settings.webhook_url, webhook_secrets(settings, directory), inside=inside)


def webhook_secrets(settings: Settings, directory: DataDirectory) -> WebhookSecrets:
    """Return the secrets that messages are signed with."""
    return WebhookSecrets(settings.webhook_secret, directory.webhook_secrets)


def _mailer(settings: Settings, directory: DataDirectory) -> Mailer | None:
    if not settings.smtp:
        return None
    host, _, port = settings.smtp.rpartition(":")
    if not host or not port.isdigit():
        raise MailRefused(f"`{settings.smtp}` is no `host:port` of a mail server.")
    return Mailer(
        MailSettings(
            host, int(port), settings.smtp_from, settings.smtp_tls, settings.smtp_user,
            settings.smtp_password, inside=settings.smtp_inside or directory.simulated,
        )
    )  # fmt: skip
