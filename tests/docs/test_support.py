"""docs/support.md: which tables, columns and formats there are, made from the catalog."""

from __future__ import annotations

from pathlib import Path

from foxhunt.logs import format_names
from foxhunt.rules.matching import TYPES_MET
from foxhunt.tables import catalog
from tests.golden_files import check

SUPPORT = Path(__file__).parents[2] / "docs" / "support.md"

# Format, what it is, tables it gives.
FORMATS = (
    (
        "zeek_tsv",
        "Zeek TSV: dns, conn, http, ssl, files",
        "DnsEvents, CommonSecurityLog, DeviceFileEvents",
    ),
    ("zeek_json", "Zeek JSON: the same", "DnsEvents, CommonSecurityLog, DeviceFileEvents"),
    (
        "sysmon_json",
        "Sysmon 1, 3, 7, 11, 15, 22, 23, 29 as JSON (flat, winlogbeat)",
        "DeviceProcessEvents, DeviceNetworkEvents, DeviceImageLoadEvents, DeviceFileEvents, "
        "DnsEvents",
    ),
    ("evtx", "Sysmon's Windows event log (EVTX)", "the same"),
    (
        "suricata",
        "Suricata EVE: dns, http, tls, flow, fileinfo, alert",
        "DnsEvents, CommonSecurityLog, DeviceFileEvents",
    ),
    ("export_parquet", "Parquet with a table's columns", "every table"),
    (
        "export_json",
        "JSON array, NDJSON, Log Analytics `tables/columns/rows`, Defender streaming",
        "every table",
    ),
    ("export_csv", "CSV, as Sentinel's and Defender's portals export it", "every table"),
)


def page() -> str:
    lines = [
        "# Support",
        "",
        "Made from the catalog (`make docs`). A file, a glob or a folder, gzip or zstd or neither;",
        "recognised by content, or told with `--table NAME=PATH`.",
        "",
        "## Formats",
        "",
        "| format | what | tables |",
        "|---|---|---|",
        *(f"| `{name}` | {what} | {tables} |" for name, what, tables in FORMATS),
        "",
        "## Tables",
        "",
        "| table | what it is | column | indicators looked up in it |",
        "|---|---|---|---|",
    ]
    for table in catalog().values():
        for number, one in enumerate(table.observables):
            types = ", ".join(sorted(map(str, TYPES_MET[one.shows])))
            name = (f"`{table.name}`", table.title) if number == 0 else ("", "")
            lines.append(f"| {name[0]} | {name[1]} | `{one.column}` | {types} |")
    return "\n".join(lines) + "\n"


def test_the_page_is_up_to_date() -> None:
    check(SUPPORT, page())


def test_every_format_of_the_registry_is_described() -> None:
    assert sorted(name for name, *_ in FORMATS) == sorted(format_names())
