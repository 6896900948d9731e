"""How values are written into histories: JSON by pydantic, decimals and dates as text."""

from __future__ import annotations

from dataclasses import replace

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.converter import DefaultFailureConverter, PayloadConverter


class FailureConverterWithoutTraces(DefaultFailureConverter):
    """Writes failures without stack traces: a history is evidence, and no place for paths of a machine.

    The worker's log has them.
    """

    def to_failure(
        self, exception: BaseException, payload_converter: PayloadConverter, failure: Failure
    ) -> None:
        """Write what went wrong, and nothing of where in the code."""
        super().to_failure(exception, payload_converter, failure)
        failure.stack_trace = ""


DATA_CONVERTER = replace(pydantic_data_converter, failure_converter_class=FailureConverterWithoutTraces)
