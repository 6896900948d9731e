"""The same Temporal server as the workflows' tests have."""

from tests.workflows.conftest import client, clock, run, stage, temporal

__all__ = ["client", "clock", "run", "stage", "temporal"]
