from __future__ import annotations

import pytest

from api.storage.errors import NotFound
from api.wiring import Wiring
from engine.model import digest_bytes
from tests.api.scenes import local

AT = local("2026-03-01 10:00")


def test_runs_are_registered_once_and_exported_once(wiring: Wiring) -> None:
    evidence = wiring.evidence
    for _ in range(2):
        evidence.register("case/A1/1", "run-1", "ArrearsCase", AT)
    evidence.register("case/A1/1", "run-2", "ArrearsCase", AT)
    assert [(r.workflow, r.run) for r in evidence.unexported(10)] == [
        ("case/A1/1", "run-1"),
        ("case/A1/1", "run-2"),
    ]
    assert [r.run for r in evidence.unexported(10, ("case/A1/1", "run-1"))] == ["run-2"]
    assert evidence.oldest_unexported() == AT
    mark = evidence.keep(b"history")
    evidence.exported("case/A1/1", "run-1", mark, AT)
    evidence.exported("case/A1/1", "run-1", mark, AT)
    assert [r.run for r in evidence.unexported(10)] == ["run-2"]
    with wiring.database.read() as session:
        assert [r.digest for r in evidence.runs(session, "case/A1/1")] == [mark, ""]
    with pytest.raises(NotFound):
        evidence.exported("case/A1/1", "run-9", mark, AT)


def test_bytes_are_kept_by_their_digest_and_a_change_is_found(lite: Wiring) -> None:
    mark = lite.evidence.keep(b"history")
    assert mark == lite.evidence.keep(b"history") == digest_bytes(b"history")
    assert lite.evidence.read(mark) == b"history"
    (file,) = (path for path in lite.directory.evidence.rglob("*") if path.is_file())
    file.write_bytes(b"forgery")
    with pytest.raises(ValueError, match="changed"):
        lite.evidence.read(mark)


@pytest.mark.parametrize(
    "digest", ["sha256:00", "sha256:" + "0" * 64, "../../etc/passwd", "sha256:" + "/" * 64]
)
def test_what_was_never_kept_is_not_found(lite: Wiring, digest: str) -> None:
    with pytest.raises(NotFound):
        lite.evidence.read(digest)
