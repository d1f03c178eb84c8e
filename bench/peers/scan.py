"""The bare scan, which everything is measured against: ``scan.py RELATION COLUMN [distinct]``.

RELATION is DuckDB's own reader and a file: ``read_parquet=PATH``, ``read_csv=PATH``,
``read_json=PATH`` or ``read_zeek=PATH`` (read_csv with what Zeek's header says).
"""

from __future__ import annotations

import sys

import duckdb
from answer import tell

_CSV = "columns = {names}, auto_detect = false, header = true, delim = ',', quote = '\"'"
_COLUMNS = {
    "read_csv": ("TimeGenerated", "Computer", "ClientIP", "Name", "QueryType", "IPAddresses", "RC"),
    "read_zeek": ("ts", "uid", "oh", "op", "rh", "rp", "proto", "Name", "qt", "rc", "rej", "ans"),
}


def relation(reader: str, path: str, column: str) -> str:
    """SQL that reads the file with the types it has, as cheaply as DuckDB can."""
    if reader == "read_parquet":
        return f"read_parquet('{path}')"
    if reader == "read_json":
        columns = f"{{'{column}': 'VARCHAR'}}"
        return f"read_json('{path}', format = 'newline_delimited', columns = {columns})"
    names = "{" + ", ".join(f"'{name}': 'VARCHAR'" for name in _COLUMNS[reader]) + "}"
    if reader == "read_csv":
        return f"read_csv('{path}', {_CSV.format(names=names)})"
    return (
        f"read_csv('{path}', columns = {names}, auto_detect = false, header = false, "
        "delim = '\t', quote = '', escape = '', comment = '#', nullstr = '-')"
    )


def main(target: str, column: str, how: str = "hash") -> None:
    """Measure one scan."""
    reader, _, path = target.partition("=")
    source = relation(reader, path, column)
    what = f"count(DISTINCT {column})" if how == "distinct" else f"max(hash({column}))"
    con = duckdb.connect()
    query = f"SELECT {what} FROM {source}"

    def work() -> None:
        con.execute(query).fetchall()

    tell(work, f"DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
