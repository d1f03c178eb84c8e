"""ClickHouse, embedded (chdb): distinct names, their parents joined. ``... LOG VALUES``."""

from __future__ import annotations

import sys
from importlib.metadata import version

from answer import need, tell


def main(log: str, values: str) -> None:
    """Count the rows whose name is an indicator or below one."""
    need("chdb")
    import chdb

    labels = "splitByChar('.', trimRight(lower(assumeNotNull(Name)), '.'))"
    query = f"""
WITH hits AS (
  SELECT DISTINCT Name FROM (
    SELECT Name, arrayJoin(arrayMap(n -> arrayStringConcat(arraySlice({labels}, n), '.'),
      range(1, length({labels})))) AS parent
    FROM (SELECT DISTINCT Name FROM file('{log}', 'Parquet') WHERE Name != ''))
  WHERE parent IN (SELECT value FROM file('{values}', 'Parquet')))
SELECT count() FROM file('{log}', 'Parquet') WHERE Name IN (SELECT Name FROM hits)
"""

    def work() -> int:
        return int(str(chdb.query(query, "CSV")).strip())

    tell(work, f"chdb {version('chdb')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
