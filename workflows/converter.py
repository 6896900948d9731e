"""How values are written into histories: JSON by pydantic, decimals and dates as text."""

from __future__ import annotations

from temporalio.contrib.pydantic import pydantic_data_converter

DATA_CONVERTER = pydantic_data_converter
