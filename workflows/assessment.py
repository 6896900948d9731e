"""One request for a grade: gather, decide, record, answer."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import ids, judging
    from workflows.messages import AssessmentRequest, AssessmentResult


@workflow.defn(name=ids.ASSESSMENT)
class Assessment:
    """Answers one request; the decision is taken in one local activity and stands in the history."""

    @workflow.run
    async def run(self, request: AssessmentRequest) -> AssessmentResult:
        """Decide, record, and answer with the record and the head of the hash chain."""
        return await judging.assess(request)
