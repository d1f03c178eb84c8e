"""The rule page's own KQL through duckdb-kql: ``kql_page.py LOG VALUES COUNT``.

``has_any`` also finds the look-alikes; that is the page's answer.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

import duckdb
import duckdb_kql
from answer import tell


def main(log: str, values: str, count: str) -> None:
    """Run DESIGN 1's query with the first ``count`` indicators."""
    con = duckdb.connect()
    con.execute(f"CREATE VIEW DnsEvents AS FROM read_parquet('{log}')")
    rows = con.execute(f"SELECT value FROM read_parquet('{values}') LIMIT {int(count)}").fetchall()
    listed = ", ".join(f'"{value}"' for (value,) in rows)
    text = (
        f"let malicious_domains = dynamic([{listed}]);\nDnsEvents\n"
        "| where Name has_any (malicious_domains)\n"
        "| project TimeGenerated, Computer, Name, IPAddresses, QueryType\n"
        "| order by TimeGenerated desc\n"
    )

    def work() -> int:
        return len(duckdb_kql.query(con, text).fetchall())

    tell(work, f"duckdb-kql {version('duckdb-kql')}")


if __name__ == "__main__":
    main(*sys.argv[1:])
