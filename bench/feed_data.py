"""The indicators of the benchmark: ThreatFox's CSV export, and the bare values for its peers.

The first `PLANTED_INDICATORS` values are in the logs, all others in none. Which value has which
number is fixed, so a longer feed holds all of a shorter one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
from scales import PLANTED_INDICATORS

_HEADER = (
    '# "first_seen_utc","ioc_id","ioc_value","ioc_type","threat_type","fk_malware",'
    '"malware_alias","malware_printable","last_seen_utc","confidence_level","is_compromised",'
    '"reference","tags","anonymous","reporter"\n'
)
_TYPES = {
    "domain": "domain",
    "clean": "domain",
    "ip": "ip:port",
    "url": "url",
    "hash": "sha256_hash",
}
_SUFFIXES = ("com", "net", "org", "top", "xyz", "ru", "cn", "info")
_FAMILIES = 200


def values(kind: str, count: int) -> Iterator[str]:
    """The first ``count`` values of a kind."""
    for number in range(count):
        is_planted = kind != "clean" and number < PLANTED_INDICATORS
        yield _planted(kind, number) if is_planted else _other(kind, number)


def _planted(kind: str, number: int) -> str:
    domain = f"planted-{number}.badnet.com"
    if kind == "ip":
        return f"45.137.{number}.7:443"
    if kind == "url":
        return f"http://{domain}/gate.php"
    return hashlib.sha256(f"p{number}".encode()).hexdigest() if kind == "hash" else domain


def _other(kind: str, number: int) -> str:
    digest = hashlib.sha256(f"i{number}".encode()).hexdigest()
    if kind == "hash":
        return digest
    if kind == "ip":
        # Networks that the logs' background has none of, and that are public.
        a, b, c, d = 150 + number % 18, number // 18 % 256, number // 4608 % 256, number % 250 + 2
        return f"{a}.{b}.{c}.{d}:{1024 + number % 60000}"
    name = f"x{digest[:14]}.{_SUFFIXES[number % len(_SUFFIXES)]}"
    return f"http://{name}/{digest[14:22]}/gate.php" if kind == "url" else name


def write_feed(kind: str, count: int, path: Path) -> None:
    """Write ``count`` indicators as ThreatFox exports them."""
    with path.open("w", encoding="utf-8") as out:
        out.write("# ThreatFox IOCs: recent\n#\n" + _HEADER)
        for number, value in enumerate(values(kind, count)):
            family = number % _FAMILIES
            out.write(
                f'"2026-06-{1 + number % 28:02} 08:00:00", "{1_000_000 + number}", "{value}", '
                f'"{_TYPES[kind]}", "botnet_cc", "win.family_{family}", "None", '
                f'"Family {family}", "", "{50 + number % 51}", "False", "None", "bench", "0", '
                '"bench"\n'
            )
        out.write(f"# Number of entries: {count}\n")


def write_values(kind: str, count: int, path: Path) -> None:
    """Write the values alone, as Parquet."""
    with duckdb.connect() as con:
        con.register("rows", pa.table({"value": pa.array(list(values(kind, count)))}))
        con.execute(f"COPY (FROM rows) TO '{path}' (FORMAT parquet)")


def write_patterns(kind: str, count: int, path: Path) -> None:
    """Write the values alone, one a line."""
    path.write_text("".join(f"{value}\n" for value in values(kind, count)), encoding="utf-8")


def write_page(count: int, path: Path) -> None:
    """Write the query of a published page, with ``count`` domains."""
    listed = ", ".join(f'"{value}"' for value in values("domain", count))
    path.write_text(
        f"let malicious_domains = dynamic([{listed}]);\nDnsEvents\n"
        "| where Name has_any (malicious_domains)\n"
        "| project TimeGenerated, Computer, Name, IPAddresses, QueryType\n"
        "| order by TimeGenerated desc\n",
        encoding="utf-8",
    )


def write_exclusions(path: Path, count: int = 1_000) -> None:
    """Write exclusions of the kinds that people write; about a tenth suppress something."""
    blocks = [
        f"  - id: bench-{number}\n    scenario: benchmark\n    reason: benchmark\n"
        "    owner: bench@corp.com\n"
        f'    expires: 2099-01-01\n    scope: {{families: ["*"], types: ["*"], tables: ["*"]}}\n'
        f"    when:\n      all:\n{_conditions(number)}"
        for number in range(count)
    ]
    path.write_text("exclusions:\n" + "".join(blocks), encoding="utf-8")


def _conditions(number: int) -> str:
    network = f"        - source_ip: [10.{number % 2}.{number // 4}.0/24]\n"
    name = f"        - domain: [c{number % 400}.planted-{number % PLANTED_INDICATORS}.badnet.com]\n"
    host = f'        - host: ["10.0.{number % 256}.*", "ws-{number}"]\n'
    hours = "        - hours: [Sat 22:00-Sun 04:00 UTC]\n"
    return (network + name, name + host, network, name + hours)[number % 4]
