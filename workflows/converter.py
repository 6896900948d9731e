"""How values are written into histories: JSON by pydantic, decimals and dates as text."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from temporalio.api.failure.v1 import Failure
from temporalio.contrib.pydantic import PydanticPayloadConverter, ToJsonOptions
from temporalio.converter import (
    DataConverter,
    DefaultFailureConverter,
    EncodingPayloadConverter,
    PayloadConverter,
)


class RecordingPayloadConverter(PydanticPayloadConverter):
    """Writes the fields that were given, so that what was read is written again byte for byte.

    A later version whose models have more fields than a history knows must not add them to it.
    """

    def __init__(self) -> None:
        # Temporal makes a converter for each task and each activity; what it holds is made once.
        self.converters = _converters()


@cache
def _converters() -> Mapping[bytes, EncodingPayloadConverter]:
    return PydanticPayloadConverter(ToJsonOptions(exclude_unset=True)).converters


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


DATA_CONVERTER = DataConverter(
    payload_converter_class=RecordingPayloadConverter,
    failure_converter_class=FailureConverterWithoutTraces,
)
