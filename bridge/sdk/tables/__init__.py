"""Tables of people and customers, as Excel and CRMs write them.

Import from here; `table` reads any, `customers` one of customers.
"""

from bridge.sdk.tables.columns import (
    clean_cell,
    extensions_in,
    find_columns,
    header_key,
    listed,
    only_column,
    several_in,
    shown,
)
from bridge.sdk.tables.customers import Customers, read_customers
from bridge.sdk.tables.layout import MEANINGS, Layout
from bridge.sdk.tables.lost_cells import SHORTENED, is_shortened
from bridge.sdk.tables.number_index import OwnerIndex
from bridge.sdk.tables.owners import owners_of
from bridge.sdk.tables.problems import announce
from bridge.sdk.tables.table import Ending, Problems, Table, read_table
from bridge.sdk.tables.unread import UnreadColumns
from bridge.sdk.words import fold, is_nothing

__all__ = [
    "MEANINGS",
    "SHORTENED",
    "Customers",
    "Ending",
    "Layout",
    "OwnerIndex",
    "Problems",
    "Table",
    "UnreadColumns",
    "announce",
    "clean_cell",
    "extensions_in",
    "find_columns",
    "fold",
    "header_key",
    "is_nothing",
    "is_shortened",
    "listed",
    "only_column",
    "owners_of",
    "read_customers",
    "read_table",
    "several_in",
    "shown",
]
