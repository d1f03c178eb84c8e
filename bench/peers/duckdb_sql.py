"""The expert's SQL in DuckDB: distinct names, their parents joined a label at a time (DESIGN 6).

``duckdb_sql.py LOG VALUES``: what one writes who knows both DuckDB and label borders, and needs
nothing but the number of rows.
"""

from __future__ import annotations

import sys

import duckdb
from answer import tell


def main(log: str, values: str) -> None:
    """Count the rows whose name is an indicator or below one."""
    con = duckdb.connect()

    def work() -> int:
        con.execute(
            "CREATE TEMP TABLE walk AS SELECT v, rtrim(lower(v), '.') AS p FROM "
            f"(SELECT DISTINCT Name AS v FROM read_parquet('{log}') WHERE Name <> '')"
        )
        con.execute(f"CREATE TEMP TABLE wanted AS SELECT value FROM read_parquet('{values}')")
        con.execute("CREATE TEMP TABLE hits (v VARCHAR)")
        while con.execute("SELECT count(*) FROM walk").fetchall()[0][0]:
            con.execute("INSERT INTO hits SELECT v FROM walk SEMI JOIN wanted ON p = value")
            con.execute(
                "CREATE OR REPLACE TEMP TABLE walk AS SELECT v, substr(p, instr(p, '.') + 1) AS p "
                "FROM walk WHERE instr(p, '.') > 0"
            )
        ((found,),) = con.execute(
            f"SELECT count(*) FROM read_parquet('{log}') AS l SEMI JOIN hits ON l.Name = hits.v"
        ).fetchall()
        return int(found)

    tell(work, f"DuckDB {duckdb.__version__}")


if __name__ == "__main__":
    main(*sys.argv[1:])
