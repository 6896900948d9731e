"""The form of a bundle: everything that is changed, added or missing is named."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from api.evidence.auditing import audit_bundle
from api.evidence.bundle import MANIFEST, SIGNATURE, NoBundle, _read, open_bundle, to_zip, write_bundle
from api.evidence.signing import KeyRefused, fingerprint, public_pem, signing_key
from engine.model import canonical, digest_bytes
from tests.workflows.scenarios import FIXTURES

STORY = FIXTURES / "PortfolioReview" / "book.zip"


LEAVES = st.none() | st.booleans() | st.integers() | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


def files() -> dict[str, bytes]:
    return _read(STORY)


def test_the_same_files_give_the_same_zip(tmp_path: Path) -> None:
    assert to_zip(files()) == to_zip(files()) == STORY.read_bytes()


def test_a_folder_is_as_good_as_a_zip(tmp_path: Path) -> None:
    write_bundle(tmp_path / "evidence", files())
    assert audit_bundle(tmp_path / "evidence").ok


@pytest.mark.parametrize("path", sorted(path for path in files() if "/" in path))
def test_every_changed_byte_is_named_with_its_file(path: str) -> None:
    changed = files()
    changed[path] = changed[path][:-1] + bytes([changed[path][-1] ^ 1])
    assert path in {finding.where for finding in open_bundle(to_zip(changed)).findings}


@pytest.mark.parametrize("path", sorted(path for path in files() if path != MANIFEST))
def test_every_missing_file_is_named(path: str) -> None:
    changed = files()
    del changed[path]
    found = {finding.where for finding in open_bundle(to_zip(changed)).findings}
    assert found & {path, SIGNATURE}


def test_an_added_file_is_named() -> None:
    assert [f.where for f in open_bundle(to_zip(files() | {"more": b""})).findings] == ["more"]


def change_manifest(said: dict[str, object]) -> None:
    said["made_by"] = "somebody"


def drop_run(said: dict[str, object]) -> None:
    said["runs"] = []


@pytest.mark.parametrize("change", [change_manifest, drop_run])
def test_a_changed_manifest_breaks_the_signature(change: Callable[[dict[str, object]], None]) -> None:
    changed = files()
    said = json.loads(changed[MANIFEST])
    change(said)
    changed[MANIFEST] = canonical(said)
    assert open_bundle(to_zip(changed)).findings[0].what == "signature"


def signed_anew(changed: dict[str, bytes]) -> dict[str, bytes]:
    """What a forger with a key of his own can do."""
    said = json.loads(changed[MANIFEST])
    said["files"] = {path: digest_bytes(changed[path]) for path in said["files"]}
    key = Ed25519PrivateKey.generate()
    changed[MANIFEST] = canonical(said)
    changed[SIGNATURE] = base64.b64encode(key.sign(changed[MANIFEST]))
    changed["public-key.pem"] = public_pem(key)
    return changed


@pytest.mark.parametrize(
    "path", sorted(path for path in files() if path.startswith(("texts/", "policies/", "records/")))
)
def test_a_changed_text_is_found_even_when_it_is_signed_anew(path: str) -> None:
    changed = files()
    changed[path] = changed[path].replace(b"1", b"2", 1)
    report = audit_bundle(to_zip(signed_anew(changed)))
    assert report.signed_by
    assert not report.problems
    assert report.differing


def test_the_key_that_the_auditor_was_told_wins() -> None:
    report = audit_bundle(STORY, public_key=public_pem(Ed25519PrivateKey.generate()))
    assert [problem.what for problem in report.problems] == ["signature"]
    assert audit_bundle(STORY, public_key=files()["public-key.pem"]).ok


def test_without_a_key_that_was_told_it_is_proved_in_itself_only() -> None:
    report = audit_bundle(to_zip(signed_anew(files())))
    assert (report.ok, report.trusted) == (True, False)
    assert report.render_text().endswith("give the key that you were told with --public-key.")
    report = audit_bundle(STORY, public_key=files()["public-key.pem"])
    assert report.render_text().endswith("\nProved.")


@settings(deadline=None, max_examples=60)
@given(st.binary(max_size=2000))
def test_any_bytes_are_a_bundle_or_are_refused(data: bytes) -> None:
    with pytest.raises(NoBundle):
        open_bundle(data)


@settings(deadline=None, max_examples=40)
@given(st.data())
def test_a_damaged_zip_is_refused_or_reported(data: st.DataObject) -> None:
    whole = bytearray(STORY.read_bytes())
    place = data.draw(st.integers(0, len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    try:
        opened = open_bundle(bytes(whole))
    except NoBundle:
        return
    assert opened.findings or _read(bytes(whole)) == files()


@settings(deadline=None, max_examples=60)
@given(JSON)
def test_any_manifest_is_reported(said: object) -> None:
    changed = files()
    changed[MANIFEST] = json.dumps(said).encode()
    assert open_bundle(to_zip(changed)).findings


def test_the_key_is_made_once_and_only_for_its_owner(tmp_path: Path) -> None:
    first = public_pem(signing_key(tmp_path))
    assert first == public_pem(signing_key(tmp_path))
    assert (tmp_path / "evidence.key").stat().st_mode & 0o777 == 0o600
    assert len(fingerprint(first).split()) == 8
    (tmp_path / "evidence.key").chmod(0o644)
    with pytest.raises(KeyRefused, match="chmod 600"):
        signing_key(tmp_path)


def test_a_key_that_is_no_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "evidence.key").write_text("no key")
    (tmp_path / "evidence.key").chmod(0o600)
    with pytest.raises(KeyRefused, match="no private key"):
        signing_key(tmp_path)
