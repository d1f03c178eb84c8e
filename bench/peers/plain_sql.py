"""The obvious SQL in DuckDB: the parents of every row, joined. ``plain_sql.py LOG VALUES``."""

from __future__ import annotations

import sys

import duckdb
from answer import tell


def main(log: str, values: str) -> None:
    """Count the rows whose name is an indicator or below one."""
    con = duckdb.connect()

    def work() -> int:
        ((found,),) = con.execute(
            "WITH named AS (SELECT file_row_number AS row, "
            "string_split(rtrim(lower(Name), '.'), '.') AS labels "
            f"FROM read_parquet('{log}', file_row_number = true) WHERE Name <> ''), "
            "parents AS (SELECT row, unnest([array_to_string(labels[n:], '.') "
            "FOR n IN range(1, len(labels))]) AS parent FROM named) "
            "SELECT count(DISTINCT row) FROM parents "
            f"JOIN read_parquet('{values}') ON parent = value"
        ).fetchall()
        return int(found)

    tell(work, f"DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
