"""Whose cases a Temporal namespace holds: the first ledger that uses it writes its id there.

A worker of another ledger would take tasks of cases that it cannot know.
"""

from __future__ import annotations

import logging

from temporalio.api.namespace.v1 import UpdateNamespaceInfo
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

log = logging.getLogger(__name__)
MARK = "forbear-ledger"
_MAY_NOT = (RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.UNIMPLEMENTED)


class OtherLedger(Exception):
    """The namespace holds the cases of another ledger."""

    def __init__(self, namespace: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"The Temporal namespace `{namespace}` holds the cases of ledger {theirs}; this directory is "
            f"ledger {ours}. Name that ledger's directory with --data, or another Temporal or namespace."
        )


async def claim(client: Client, ledger: str) -> None:
    """Write the ledger's id into the namespace, or find it there; raises OtherLedger.

    Where nobody may write there, as on a managed Temporal, a warning is logged and nothing is checked.
    """
    service, namespace = client.workflow_service, client.namespace
    try:
        about = await service.describe_namespace(DescribeNamespaceRequest(namespace=namespace))
        theirs = about.namespace_info.data.get(MARK, "")
        if not theirs:
            info = UpdateNamespaceInfo(data={MARK: ledger})
            await service.update_namespace(UpdateNamespaceRequest(namespace=namespace, update_info=info))
            return
    except RPCError as error:
        if error.status not in _MAY_NOT:
            raise
        log.warning("The namespace %s cannot be marked as ledger %s: %s", namespace, ledger, error.message)
        return
    if theirs != ledger:
        raise OtherLedger(namespace, theirs, ledger)
