"""Which methods each path knows: what a 405 must name (RFC 9110, 15.5.6)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fastapi import APIRouter
from fastapi.routing import APIRoute

_PART = re.compile(r"\{[^}]*\}")


class Methods:
    """The methods of all paths of some routers."""

    def __init__(self, routers: Iterable[APIRouter]) -> None:
        self._routes = [
            (len(_PART.sub("", route.path)), route.path_regex, _with_head(route.methods or ()))
            for router in routers for route in router.routes if isinstance(route, APIRoute)
        ]  # fmt: skip

    def of(self, path: str) -> frozenset[str]:
        """Return the methods that a path knows; none: there is no such path.

        Of several templates that fit, the one with the most text of its own says it.
        """
        found = [(own, methods) for own, regex, methods in self._routes if regex.match(path)]
        most = max((own for own, _ in found), default=0)
        return frozenset().union(*(methods for own, methods in found if own == most))


def _with_head(methods: Iterable[str]) -> frozenset[str]:
    """Return methods with `HEAD` where there is `GET`: the gate answers the one by the other."""
    known = frozenset(methods)
    return known | {"HEAD"} if "GET" in known else known
