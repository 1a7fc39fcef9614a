"""Tables of people and customers, as Excel and CRMs write them.

Import from here; `table` reads CSV files, `spreadsheet` workbooks, `customers` what is in them.
"""

from bridge.sdk.tables.any_table import AnyTable
from bridge.sdk.tables.columns import (
    clean_cell,
    extensions_in,
    find_columns,
    header_key,
    header_keys,
    listed,
    only_column,
    several_in,
    shown,
)
from bridge.sdk.tables.customers import Customers, read_customers
from bridge.sdk.tables.headers import HEADINGS
from bridge.sdk.tables.layout import MEANINGS, Layout
from bridge.sdk.tables.lost_cells import SHORTENED, is_shortened
from bridge.sdk.tables.number_index import OwnerIndex
from bridge.sdk.tables.owners import owners_of
from bridge.sdk.tables.problems import announce
from bridge.sdk.tables.spreadsheet import Spreadsheet, check_reader, open_spreadsheet
from bridge.sdk.tables.table import Ending, Problems, Table, read_table
from bridge.sdk.tables.unread import UnreadColumns
from bridge.sdk.words import fold, is_nothing

__all__ = [
    "HEADINGS",
    "MEANINGS",
    "SHORTENED",
    "AnyTable",
    "Customers",
    "Ending",
    "Layout",
    "OwnerIndex",
    "Problems",
    "Spreadsheet",
    "Table",
    "UnreadColumns",
    "announce",
    "check_reader",
    "clean_cell",
    "extensions_in",
    "find_columns",
    "fold",
    "header_key",
    "header_keys",
    "is_nothing",
    "is_shortened",
    "listed",
    "only_column",
    "open_spreadsheet",
    "owners_of",
    "read_customers",
    "read_table",
    "several_in",
    "shown",
]
