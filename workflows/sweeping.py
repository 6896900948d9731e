"""How the accounts that are due are gone through."""

from __future__ import annotations

from temporalio import workflow

from workflows import effects
from workflows.history_chain import HistoryChain
from workflows.messages import PageRequest, SweepRequest, SweepResult
from workflows.wrong import WrongAnswer

PAGES_A_RUN = 200


async def sweep(request: SweepRequest) -> SweepResult | SweepRequest:
    """Open page after page; return the result, or the input of the run that goes on."""
    chain = HistoryChain(request.chain, request)
    after, opened = request.after, request.opened
    for _ in range(PAGES_A_RUN):
        at = workflow.now() + request.clock_offset
        page = await effects.open_due(PageRequest(at=at, after=after, limit=request.page, chain=chain.head))
        chain.consume("page", page)
        opened += page.opened
        if page.seen < request.page:
            return SweepResult(opened=opened, chain=chain.head)
        if page.last <= after:
            raise WrongAnswer(f"an account after {after}", page.last)
        after = page.last
    return request.model_copy(update={"after": after, "opened": opened, "chain": chain.head})
