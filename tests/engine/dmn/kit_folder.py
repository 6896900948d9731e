"""Where the DMN conformance kit is: `FORBEAR_TCK`, or beside the project."""

from __future__ import annotations

import os
from pathlib import Path

HERE = Path(__file__).resolve().parents[3]
FOLDER = Path(os.environ.get("FORBEAR_TCK") or HERE.parent / "shared" / "tck")
RESULT = HERE / "fixtures" / "conformance" / "tck.json"
OWN = HERE / "fixtures" / "conformance" / "own"


def files(folder: Path) -> dict[str, bytes]:
    """Return all models and case files below a folder, by path."""
    paths = (path for path in folder.rglob("*") if path.suffix in (".dmn", ".xml"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(paths)}
