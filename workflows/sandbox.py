"""Which modules Temporal's sandbox shares with the workflows instead of reading them anew for every run."""

from __future__ import annotations

from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

PASSED_THROUGH = (
    "engine",
    "pydantic",
    "pydantic_core",
    "annotated_types",
    "typing_extensions",
    "workflows.case_state",
    "workflows.chain",
    "workflows.driving",
    "workflows.effects",
    "workflows.history_chain",
    "workflows.ids",
    "workflows.judging",
    "workflows.messages",
    "workflows.recorded",
    "workflows.sweeping",
    "workflows.waiting",
    "workflows.wrong",
)
"""A shared module is not watched by the sandbox: lint and import contracts watch over these."""


def sandboxed_runner() -> SandboxedWorkflowRunner:
    """Return the runner of the audit, and of the workers in tests."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    )
