"""Write the logs of three weeks at a small company in which one infection hides.

    python examples/make_example.py OUT

Seeded: the same bytes every time. What happens on purpose is in `story.py`, what happens by
chance in `background.py`; `records.py` and `sensors.py` say what each log records of both,
and this file puts each log into its format.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import partial
from itertools import chain
from pathlib import Path

import background
import pyarrow as pa
import pyarrow.parquet as pq
import records
import sensors
import story
from records import Row

Log = tuple[Callable[[list[Row]], bytes], Iterable[Row]]


def main(arguments: Sequence[str]) -> int:
    """Write all logs below the folder that is named, and say how many rows each has."""
    if len(arguments) != 1:
        print(f"usage: {Path(__file__).name} OUT", file=sys.stderr)
        return 2
    out = Path(arguments[0])
    total = 0
    for name, (encode, records_of_log) in logs().items():
        rows = list(records_of_log)
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(encode(rows))
        print(f"{len(rows):8,} rows  {name}")
        total += len(rows)
    print(f"{total:8,} rows below {out}")
    return 0


def logs() -> dict[str, Log]:
    """Every log: its path, its format, its rows in order of time."""
    contacts = sorted(
        chain(*story.HITS, *story.LOOKALIKES, background.benign_contacts()),
        key=lambda contact: contact.time,
    )
    scans = sorted(chain(story.SCANS, background.benign_scans()), key=lambda scan: scan.time)
    processes = sorted(
        chain(*story.PROCESSES, background.benign_processes()), key=lambda process: process.time
    )
    files = sorted(chain(story.FILES, background.benign_files()), key=lambda file: file.time)
    clicks = sorted(chain(story.CLICKS, background.benign_clicks()), key=lambda click: click.time)
    firewall = records.firewall_rows(contacts, scans)
    network = records.device_network_events(contacts, scans)
    return {
        "sentinel/DnsEvents.csv": (portal_csv, records.dns_events(contacts)),
        "sentinel/CommonSecurityLog.ndjson": (ndjson, _by("TimeGenerated", firewall)),
        "sentinel/UrlClickEvents.json": (log_analytics, records.url_click_events(clicks)),
        "defender/DeviceNetworkEvents.parquet": (parquet, _by("Timestamp", network)),
        "defender/DeviceFileEvents.csv": (plain_csv, records.device_file_events(files)),
        "defender/DeviceProcessEvents.ndjson.gz": (
            zipped_ndjson,
            records.device_process_events(processes),
        ),
        "zeek/dns.log.gz": (
            partial(zeek_tsv, "dns", sensors.ZEEK_DNS),
            _by("ts", sensors.zeek_dns(contacts)),
        ),
        "zeek/conn.log": (ndjson, _by("ts", sensors.zeek_conn(contacts, scans))),
        "suricata/eve.json": (ndjson, _by("timestamp", sensors.suricata_eve(contacts))),
        "sysmon/WS-014.json": (
            ndjson,
            _by("UtcTime", sensors.sysmon(contacts, processes, files)),
        ),
    }


def _by(time: str, rows: Iterable[Row]) -> list[Row]:
    # One log writes all its times alike, so that they sort as text; Zeek's are all as long.
    return sorted(rows, key=lambda row: str(row[time]))


def ndjson(rows: list[Row]) -> bytes:
    """One JSON object a line; what is None is left out, as exports do."""
    lines = (
        json.dumps(
            {name: value for name, value in row.items() if value is not None},
            ensure_ascii=False,
            separators=(",", ":"),
        )
        for row in rows
    )
    return "".join(f"{line}\n" for line in lines).encode()


def zipped_ndjson(rows: list[Row]) -> bytes:
    """`ndjson`, compressed."""
    return _zipped(ndjson(rows))


def _zipped(data: bytes) -> bytes:
    # Without a time in its header the same data is the same bytes.
    return gzip.compress(data, 6, mtime=0)


def plain_csv(rows: list[Row]) -> bytes:
    """CSV with a header."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def portal_csv(rows: list[Row]) -> bytes:
    """CSV as the Azure portal exports it: byte order mark, ``[UTC]``, times of the US."""
    text = io.StringIO("\ufeff")
    text.seek(0, io.SEEK_END)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow("TimeGenerated [UTC]" if name == "TimeGenerated" else name for name in rows[0])
    for row in rows:
        writer.writerow(
            _portal_time(str(value)) if name == "TimeGenerated" else value
            for name, value in row.items()
        )
    return text.getvalue().encode()


def _portal_time(iso: str) -> str:
    """``6/1/2026, 8:00:00.000 AM``."""
    time = datetime.fromisoformat(iso)
    milliseconds = time.microsecond // 1000
    return (
        f"{time.month}/{time.day}/{time.year}, "
        f"{time.hour % 12 or 12}:{time:%M:%S}.{milliseconds:03} {time:%p}"
    )


def log_analytics(rows: list[Row]) -> bytes:
    """The answer of the Log Analytics query API: columns with types, then rows of values."""
    kinds = {bool: "bool", int: "int", str: "string"}
    columns = [
        {"name": name, "type": "datetime" if name == "TimeGenerated" else kinds[type(value)]}
        for name, value in rows[0].items()
    ]
    values = [list(row.values()) for row in rows]
    table = {"name": "PrimaryResult", "columns": columns, "rows": values}
    return json.dumps({"tables": [table]}, ensure_ascii=False).encode()


def parquet(rows: list[Row]) -> bytes:
    """Parquet with typed times, as Defender's advanced hunting API is stored in a data lake."""
    columns = {name: [row[name] for row in rows] for name in rows[0]}
    columns["Timestamp"] = [datetime.fromisoformat(str(text)) for text in columns["Timestamp"]]
    sink = io.BytesIO()
    pq.write_table(pa.table(columns), sink, compression="zstd")
    return sink.getvalue()


def zeek_tsv(path: str, types: dict[str, str], rows: list[Row]) -> bytes:
    """Zeek's own text format, compressed."""
    stamp = "2026-06-16-00-00-00"
    lines = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        f"#path\t{path}",
        f"#open\t{stamp}",
        "\t".join(("#fields", *types)),
        "\t".join(("#types", *types.values())),
        *("\t".join(_zeek_value(row.get(name)) for name in types) for row in rows),
        "#close\t2026-06-17-00-00-00",
    ]
    return _zipped("".join(f"{line}\n" for line in lines).encode())


def _zeek_value(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, float):
        return f"{value:.6f}"
    if isinstance(value, list):
        return ",".join(map(_zeek_value, value)) or "(empty)"
    return str(value)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
