"""Somebody else's files, by a mapping.

It posts to the REST API's bulk path, as a billing system would: one way in, one set of checks, and it
works on a running server. Nothing here writes to storage.
"""

from api.importer.mapping import FileMapping, load_mapping
from api.importer.posting import over_http
from api.importer.report import ImportReport, Reject
from api.importer.run import run_import

__all__ = ["FileMapping", "ImportReport", "Reject", "load_mapping", "over_http", "run_import"]
