"""What Alembic runs: the connection comes from `api.storage.migrate`, never from a file."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlmodel import AutoString

from api.storage.columns import Instant
from api.storage.tables import schema


def _render(kind: str, item: Any, autogen: AutogenContext) -> str | Literal[False]:
    """Name our own column types in a new migration without naming the library that made them."""
    if kind == "type" and isinstance(item, AutoString):
        return "sa.String()"
    if kind == "type" and isinstance(item, Instant):
        autogen.imports.add("from api.storage.columns import Instant")
        return "Instant()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=schema(),
    render_as_batch=True,
    compare_type=True,
    render_item=_render,
)
with context.begin_transaction():
    context.run_migrations()
