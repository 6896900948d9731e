"""Somebody else's files, by a mapping.

It posts to the REST API's bulk path, as a billing system would: one way in, one set of checks, and it
works on a running server. Nothing here writes to storage. `OfflineLedger` answers like that path without a
server, for a dry run; `control` and `reconciling` hold the totals against the operator's own.
"""

from api.importer.control import Figure, load_control
from api.importer.mapping import FileMapping
from api.importer.offline import OfflineLedger
from api.importer.posting import over_http
from api.importer.reading import load_mapping
from api.importer.reconciling import Reconciled
from api.importer.rejected import rejected_file
from api.importer.report import ImportReport, Reject
from api.importer.run import run_import

__all__ = [
    "Figure",
    "FileMapping",
    "ImportReport",
    "OfflineLedger",
    "Reconciled",
    "Reject",
    "load_control",
    "load_mapping",
    "over_http",
    "rejected_file",
    "run_import",
]
