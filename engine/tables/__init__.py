"""Tables as they stand in a policy's texts: found, aligned, taken out to spreadsheets, and put back."""

from engine.tables.align import align_text, width
from engine.tables.book import Book, Sheet, book_of, csv_files, read_csv_book, rows_of
from engine.tables.found import FoundTable, find_tables
from engine.tables.put import PutBack, put_back
from engine.tables.xlsx import read_xlsx_book

__all__ = [
    "Book",
    "FoundTable",
    "PutBack",
    "Sheet",
    "align_text",
    "book_of",
    "csv_files",
    "find_tables",
    "put_back",
    "read_csv_book",
    "read_xlsx_book",
    "rows_of",
    "width",
]
