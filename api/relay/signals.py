"""Starts and pokes of cases, assessments that alerts ask for: each may be told twice and counts once."""

from __future__ import annotations

import json

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.storage.tables import OutboxRow
from workflows import ids
from workflows.messages import AssessmentRequest, CaseStart, Poke


async def tell(client: Client, row: OutboxRow) -> str:
    """Start or poke a case, or start an assessment; return a note if there was nothing to do.

    Raises RPCError if Temporal is away.
    """
    if row.kind == "start":
        return await _start(client, row, ids.CASE, CaseStart.model_validate_json(row.body))
    if row.kind == "assess":
        return await _start(client, row, ids.ASSESSMENT, AssessmentRequest.model_validate_json(row.body))
    return await _poke(client, row)


async def _start(client: Client, row: OutboxRow, kind: str, body: CaseStart | AssessmentRequest) -> str:
    try:
        await client.start_workflow(
            kind,
            body,
            id=row.subject,
            task_queue=ids.TASK_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        )
    except WorkflowAlreadyStartedError:
        return "it was started before"
    return ""


async def _poke(client: Client, row: OutboxRow) -> str:
    news = Poke(id=str(row.id), reason=json.loads(row.body)["reason"], sent_at=row.created_at)
    try:
        await client.get_workflow_handle(row.subject).signal(ids.POKE, news)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return "the case has ended"  # and read everything that was written before it ended
        raise
    return ""
