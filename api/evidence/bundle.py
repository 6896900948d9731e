"""The form in which evidence is handed over: a zip or a folder that says itself what is in it.

manifest.json       what is here: every file with the sha256 of its bytes, every run, every text
manifest.sig        Ed25519 over the bytes of manifest.json, in base64
public-key.pem      whose signature it is; compare its fingerprint with one you were told elsewhere
histories/<sha256>  the history of one run, protobuf as Temporal gave it
policies/<sha256>   the manifest of a policy: a line a text, `<digest> <path>`
texts/<sha256>      a policy text, law pack or calendar, raw
records/<sha256>    the decisions of one chunk of a portfolio review, a line each
alerts/<sha256>     an alert of watching with the window that it was found in
"""

from __future__ import annotations

import base64
import binascii
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from api.evidence.signing import fingerprint, is_signed, public_pem
from engine.model import Model, canonical, digest_bytes
from engine.watch.record import AlertRecord
from workflows.audit.alerting import window_marks
from workflows.audit.auditing import Bundle, Exported
from workflows.audit.report import Finding
from workflows.audit.texts import Texts

FORMAT = "forbear-evidence/1"
MANIFEST, SIGNATURE, KEY = "manifest.json", "manifest.sig", "public-key.pem"
LARGEST_FILE = 256 * 1024 * 1024
LARGEST_BUNDLE = 4 * 1024 * 1024 * 1024
_AGES_AGO = (1980, 1, 1, 0, 0, 0)


class NoBundle(Exception):
    """What was given is no evidence bundle at all; the sentence says why."""


class ListedRun(Model):
    """One run in the manifest."""

    workflow: str
    run: str
    history: str
    """Digest of its history."""
    closed: bool


class AuditHead(Model):
    """Where the audit chain of the installation stood."""

    length: int
    head: str


class BundleManifest(Model):
    """What a bundle says about itself; its bytes are signed."""

    format: str
    made_by: str
    runs: tuple[ListedRun, ...]
    policies: tuple[str, ...]
    texts: tuple[str, ...]
    records: dict[str, str]
    """Digest of the file of decisions by the digest that the chunk states."""
    alerts: tuple[str, ...] = ()
    windows: dict[str, dict[str, str]] = {}
    """The events of each alert's window, by the alert's digest: ids with digests of what they say."""
    audit: AuditHead
    files: dict[str, str]
    """Every file but these three by its path, with the digest of its bytes."""


@dataclass(frozen=True, slots=True)
class Contents:
    """What goes into a bundle."""

    runs: Sequence[tuple[Exported, bool]]
    """Each run, and whether it has ended."""
    policies: Mapping[str, bytes]
    texts: Mapping[str, bytes]
    records: Mapping[str, Sequence[bytes]] = field(default_factory=dict)
    alerts: Mapping[str, bytes] = field(default_factory=dict)
    audit: AuditHead = field(default_factory=lambda: AuditHead(length=0, head=""))
    made_by: str = "forbear"


@dataclass(frozen=True, slots=True)
class Opened:
    """A bundle that was read: what an audit needs, and what is wrong with the form."""

    bundle: Bundle
    findings: tuple[Finding, ...]
    signed_by: str
    audit: AuditHead
    closed: frozenset[str] = frozenset()
    """Runs that had ended when the bundle was made."""


def bundle_files(contents: Contents, key: Ed25519PrivateKey) -> dict[str, bytes]:
    """Return the files of a bundle by their paths, signed."""
    files: dict[str, bytes] = {}
    runs = []
    for exported, closed in contents.runs:
        digest = digest_bytes(exported.history)
        files[_path("histories", digest)] = exported.history
        runs.append(ListedRun(workflow=exported.workflow, run=exported.run, history=digest, closed=closed))
    for folder, bodies in (
        ("policies", contents.policies), ("texts", contents.texts), ("alerts", contents.alerts),
    ):  # fmt: skip
        files |= {_path(folder, digest): body for digest, body in bodies.items()}
    records = {}
    for chunk, lines in contents.records.items():
        body = b"".join(line + b"\n" for line in lines)
        records[chunk] = digest_bytes(body)
        files[_path("records", records[chunk])] = body
    manifest = BundleManifest(
        format=FORMAT,
        made_by=contents.made_by,
        runs=tuple(runs),
        policies=tuple(sorted(contents.policies)),
        texts=tuple(sorted(contents.texts)),
        records=dict(sorted(records.items())),
        alerts=tuple(sorted(contents.alerts)),
        windows={
            mark: window_marks(AlertRecord.model_validate_json(body))
            for mark, body in sorted(contents.alerts.items())
        },
        audit=contents.audit,
        files={path: digest_bytes(body) for path, body in sorted(files.items())},
    )
    said = canonical(manifest)
    files[MANIFEST] = said
    files[SIGNATURE] = base64.b64encode(key.sign(said)) + b"\n"
    files[KEY] = public_pem(key)
    return files


def to_zip(files: Mapping[str, bytes]) -> bytes:
    """Return the files as one zip; the same files give the same bytes."""
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, body in sorted(files.items()):
            info = zipfile.ZipInfo(path, _AGES_AGO)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, body)
    return buffer.getvalue()


def write_bundle(target: Path, files: Mapping[str, bytes]) -> None:
    """Write a bundle: a zip if the name ends so, a folder otherwise; nothing half done is kept."""
    if target.suffix == ".zip":
        beside = target.with_name(f".{target.name}.part")
        beside.write_bytes(to_zip(files))
        beside.replace(target)
        return
    target.mkdir(parents=True)
    for path, body in files.items():
        place = target / path
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(body)


def open_bundle(source: Path | bytes) -> Opened:
    """Read a bundle and check its form: digests of all files, nothing added, nothing missing, signature.

    Raises NoBundle if there is no manifest to begin with.
    """
    files = _read(source)
    if MANIFEST not in files:
        raise NoBundle(f"There is no `{MANIFEST}` in it, so it is no evidence bundle.")
    said = files[MANIFEST]
    findings = [*_signature(files, said)]
    manifest, wrong = _manifest(said)
    findings += wrong
    if manifest is None:
        return Opened(Bundle((), Texts({}, {})), tuple(findings), "", AuditHead(length=0, head=""))
    findings += _files(files, manifest)
    signed_by = "" if findings and findings[0].what == "signature" else fingerprint(files[KEY])
    closed = frozenset(run.run for run in manifest.runs if run.closed)
    return Opened(_bundle(files, manifest), tuple(findings), signed_by, manifest.audit, closed)


def _bundle(files: Mapping[str, bytes], manifest: BundleManifest) -> Bundle:
    """Return what is to be audited; a text that is not what its name says is caught when it is read."""
    histories = [
        Exported(run.workflow, run.run, files.get(_path("histories", run.history), b""))
        for run in manifest.runs
    ]
    texts = {digest: files.get(_path("texts", digest), b"") for digest in manifest.texts}
    policies = {digest: files.get(_path("policies", digest), b"") for digest in manifest.policies}
    records = {
        chunk: files.get(_path("records", digest), b"").splitlines()
        for chunk, digest in manifest.records.items()
    }
    alerts = {digest: files.get(_path("alerts", digest), b"") for digest in manifest.alerts}
    return Bundle(histories, Texts(texts, policies), records, alerts, manifest.windows)


def _signature(files: Mapping[str, bytes], said: bytes) -> Iterator[Finding]:
    if SIGNATURE not in files or KEY not in files:
        yield Finding(SIGNATURE, "signature", "the bundle is not signed")
        return
    try:
        signature = base64.b64decode(files[SIGNATURE].strip(), validate=True)
    except binascii.Error:
        signature = b""
    if not is_signed(files[KEY], signature, said):
        yield Finding(SIGNATURE, "signature", "the signature is not of this manifest and this key")


def _manifest(said: bytes) -> tuple[BundleManifest | None, list[Finding]]:
    try:
        manifest = BundleManifest.model_validate_json(said)
    except ValueError as error:
        first = str(error).splitlines()[0]
        return None, [Finding(MANIFEST, "file", f"the manifest cannot be read: {first}")]
    if manifest.format != FORMAT:
        wrong = f"the format is `{manifest.format}`; this verifier reads `{FORMAT}`"
        return None, [Finding(MANIFEST, "file", wrong)]
    return manifest, []


def _files(files: Mapping[str, bytes], manifest: BundleManifest) -> Iterator[Finding]:
    for path, digest in manifest.files.items():
        if path not in files:
            yield Finding(path, "file", "it is listed and missing")
        elif digest_bytes(files[path]) != digest:
            yield Finding(path, "file", f"it was changed: its bytes have {digest_bytes(files[path])}")
    for path in sorted(set(files) - set(manifest.files) - {MANIFEST, SIGNATURE, KEY}):
        yield Finding(path, "file", "it is not listed: somebody added it")
    listed = {
        *(_path("histories", run.history) for run in manifest.runs),
        *(_path("policies", digest) for digest in manifest.policies),
        *(_path("texts", digest) for digest in manifest.texts),
        *(_path("records", digest) for digest in manifest.records.values()),
        *(_path("alerts", digest) for digest in manifest.alerts),
    }
    for path in sorted(listed ^ set(manifest.files)):
        yield Finding(path, "file", "the manifest's lists do not agree about it")


def _read(source: Path | bytes) -> dict[str, bytes]:
    if isinstance(source, Path) and source.is_dir():
        return _read_folder(source)
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
    except OSError as error:
        raise NoBundle(f"`{error.filename}` cannot be read: {error.strerror}.") from error
    try:
        return _read_zip(data)
    except NoBundle:
        raise
    except Exception as error:  # a damaged zip breaks its reader in a dozen ways
        raise NoBundle(f"It is no zip that can be read: {error}.") from error


def _read_zip(data: bytes) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    with zipfile.ZipFile(BytesIO(data)) as archive:
        for info in archive.infolist():
            if info.is_dir():
                continue
            if info.filename in files:
                raise NoBundle(f"`{info.filename}` is in it twice.")
            total += info.file_size
            _bounded(info.filename, info.file_size, total)
            with archive.open(info) as file:
                body = file.read(info.file_size + 1)
            files[info.filename] = body
    return files


def _read_folder(folder: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    total = 0
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            name = path.relative_to(folder).as_posix()
            size = path.stat().st_size
            total += size
            _bounded(name, size, total)
            files[name] = path.read_bytes()
    return files


def _bounded(name: str, size: int, total: int) -> None:
    if size > LARGEST_FILE or total > LARGEST_BUNDLE:
        raise NoBundle(f"`{name}` makes it larger than any bundle: {size} bytes, {total} in all.")


def _path(folder: str, digest: str) -> str:
    return f"{folder}/{digest.removeprefix('sha256:')}"
