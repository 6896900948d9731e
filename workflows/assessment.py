"""One request for a grade: gather, decide, record, answer."""

from __future__ import annotations

from temporalio import workflow
from temporalio.common import RawValue

with workflow.unsafe.imports_passed_through():
    from workflows import ids, judging
    from workflows.messages import AssessmentResult


@workflow.defn(name=ids.ASSESSMENT)
class Assessment:
    """Answers one request; the decision is taken in one local activity and stands in the history."""

    @workflow.run
    async def run(self, request: RawValue) -> AssessmentResult:
        """Decide and record on an `AssessmentRequest`; answer with the decision and the head of the chain."""
        return await judging.assess(request)
