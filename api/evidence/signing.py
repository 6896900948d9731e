"""The key that evidence is signed with; its public half goes into every bundle."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

KEY_FILE = "evidence.key"


class KeyRefused(Exception):
    """The signing key cannot be used; the sentence says why and what to do."""


def signing_key(folder: Path) -> Ed25519PrivateKey:
    """Return the directory's signing key, made at the first call; only its owner may read the file."""
    path = folder / KEY_FILE
    if not path.exists():
        _write_once(path, Ed25519PrivateKey.generate())
    if path.stat().st_mode & 0o077:
        raise KeyRefused(
            f"`{path}` can be read by other users, so anybody could have signed. Run `chmod 600 {path}`; "
            "if others use this machine, move the file away and let a new key be made."
        )
    try:
        key = load_pem_private_key(path.read_bytes(), password=None)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise KeyRefused(f"`{path}` is no private key: {error}. Restore it from a backup.") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise KeyRefused(f"`{path}` is a key of another kind, not Ed25519.")
    return key


def public_pem(key: Ed25519PrivateKey) -> bytes:
    """Return the public half as PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(pem: bytes) -> str:
    """Return what people compare: sha256 of the raw public key, in groups of four; raise ValueError."""
    raw = _public(pem).public_bytes(Encoding.Raw, PublicFormat.Raw)
    text = hashlib.sha256(raw).hexdigest()
    return " ".join(text[i : i + 4] for i in range(0, 32, 4))


def is_signed(pem: bytes, signature: bytes, data: bytes) -> bool:
    """Tell whether the signature over the data is of this public key."""
    try:
        _public(pem).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def _public(pem: bytes) -> Ed25519PublicKey:
    try:
        key = load_pem_public_key(pem)
    except UnsupportedAlgorithm as error:
        raise ValueError(str(error)) from error
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError("a key of another kind, not Ed25519")
    return key


def _write_once(path: Path, key: Ed25519PrivateKey) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(beside, path)  # the first one wins, and nobody sees half a key
    except FileExistsError:
        pass
    finally:
        beside.unlink()
