"""Readers of authors' files that keep every position."""

from engine.text.period import Period
from engine.text.reading import Reader, optional
from engine.text.suggest import did_you_mean, suggest
from engine.text.table import Cell, Row, Table, csv_with_cells, read_csv_table, read_records, read_table
from engine.text.yaml import ListNode, MapNode, Node, ScalarNode, read_yaml

__all__ = [
    "Cell",
    "ListNode",
    "MapNode",
    "Node",
    "Period",
    "Reader",
    "Row",
    "ScalarNode",
    "Table",
    "csv_with_cells",
    "did_you_mean",
    "optional",
    "read_csv_table",
    "read_records",
    "read_table",
    "read_yaml",
    "suggest",
]
