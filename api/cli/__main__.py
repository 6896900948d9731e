"""`python -m api.cli`: the same as `forbear`."""

from __future__ import annotations

from api.cli import main

raise SystemExit(main())
