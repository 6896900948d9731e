"""The API as a client sees it, for what the relay is told through it."""

from tests.api.rest.conftest import serve

__all__ = ["serve"]
