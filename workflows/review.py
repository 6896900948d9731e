"""A whole book graded, chunk by chunk."""

from __future__ import annotations

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import ids, judging
    from workflows.messages import ReviewRequest, ReviewResult


@workflow.defn(name=ids.REVIEW)
class PortfolioReview:
    """Grades all customers in order of id; every chunk leaves its counts and digests in the history."""

    @workflow.run
    async def run(self, request: ReviewRequest) -> ReviewResult:
        """Grade what follows the cursor, continuing anew after every so many chunks."""
        done = await judging.review(request)
        if not isinstance(done, ReviewResult):
            workflow.continue_as_new(done)
        return done
