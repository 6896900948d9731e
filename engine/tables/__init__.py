"""Tables as they stand in a policy's texts: found, aligned, taken out to spreadsheets, and put back."""

from engine.tables.align import align_text, width
from engine.tables.found import FoundTable, find_tables

__all__ = ["FoundTable", "align_text", "find_tables", "width"]
