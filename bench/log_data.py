"""The logs of the benchmark, in DuckDB's SQL: seeded, skewed, with a known number of hits.

Chance is ``hash(row, salt)``, so the same rows come out of any number of threads. Names follow
Zipf's law (exponent 1) over 1.1 million; as in real logs some are null, in odd case, end in a
dot, or are IDN. Every `PLANTED_EVENTS`-th part of a log holds one row that is a hit, and in a
tenth of them a look-alike, which is none.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
from scales import PLANTED_EVENTS, PLANTED_INDICATORS

_NAMES = 1_100_000
_FILES = 300_000
_HOSTS = 5_000
_MATCHING_HOSTS = 200  # a finding is one indicator on one host: 10,000 of them

_MACROS = f"""
CREATE OR REPLACE MACRO chance(i, salt) AS
  (hash(xor(hash(i), hash(salt))) >> 11) / 9007199254740992.0;
CREATE OR REPLACE MACRO pick(i, salt, n) AS CAST(floor(chance(i, salt) * n) AS BIGINT);
CREATE OR REPLACE MACRO zipf(i, salt, n) AS CAST(floor(pow(n, chance(i, salt))) AS BIGINT);
CREATE OR REPLACE MACRO at_time(i, n) AS
  TIMESTAMP '2026-06-01' + to_microseconds(CAST(i * (2592000000000 / n) AS BIGINT));
CREATE OR REPLACE MACRO host_of(i) AS 'ws-' || zipf(i, 'host', {_HOSTS});
CREATE OR REPLACE MACRO client(h) AS '10.' || h // 256 || '.' || h % 256 || '.9';
CREATE OR REPLACE MACRO planted(k) AS 'planted-' || k || '.badnet.com';
CREATE OR REPLACE MACRO planted_address(k) AS '45.137.' || k || '.7';
CREATE OR REPLACE MACRO background_address(r) AS
  (60 + pick(r, 'a', 40)) || '.' || pick(r, 'b', 256) || '.' || pick(r, 'c', 256) || '.'
  || (1 + pick(r, 'd', 254));
CREATE OR REPLACE MACRO domain_of(d) AS substr(md5('d' || d), 1, 5 + d % 9) || '.'
  || ['com', 'net', 'org', 'de', 'io', 'co.uk', 'com.br', 'info'][1 + d % 8];
CREATE OR REPLACE MACRO label_of(r) AS CASE pick(r, 'shape', 10)
  WHEN 0 THEN '' WHEN 1 THEN '' WHEN 2 THEN ''
  WHEN 3 THEN 'www.' WHEN 4 THEN 'api.' WHEN 5 THEN 'cdn.' WHEN 6 THEN 'mail.'
  WHEN 7 THEN 'h' || r || '.' WHEN 8 THEN 'e' || r || '.eu-west.'
  ELSE substr(md5('l' || r), 1, 12) || '.edge.static.' END;
CREATE OR REPLACE MACRO name_of(r) AS CASE
  WHEN r % 5000 = 2501 THEN 'bücher-' || r || '.de'
  WHEN r % 100 = 52 THEN upper(label_of(r)) || domain_of(pick(r, 'domain', 900000))
  WHEN r % 200 = 153 THEN label_of(r) || domain_of(pick(r, 'domain', 900000)) || '.'
  ELSE label_of(r) || domain_of(pick(r, 'domain', 900000)) END;
"""

_TABLES = {
    "dns": f"""
SELECT at_time(i, $rows) AS TimeGenerated, 'dc' || pick(i, 'server', 5) AS Computer,
  client(zipf(i, 'host', {_HOSTS})) AS ClientIP,
  CASE WHEN hit IS NOT NULL THEN
      CASE hit % 3 WHEN 0 THEN planted(hit) WHEN 1 THEN 'c2.' || planted(hit)
        ELSE upper(planted(hit)) || '.' END
    WHEN decoy IS NOT NULL THEN 'c2.' || planted(decoy) || '.evil.org'
    WHEN i % 500 = 3 THEN NULL ELSE name END AS Name,
  ['A', 'AAAA', 'HTTPS', 'PTR'][1 + zipf(i, 'type', 4)] AS QueryType, addresses AS IPAddresses,
  CASE WHEN i % 20 = 0 THEN 3 ELSE 0 END AS ResultCode
FROM drawn JOIN names USING (rank) ORDER BY i""",
    "network": """
SELECT at_time(i, $rows) AS Timestamp, host_of(i) AS DeviceName, 'ConnectionSuccess' AS ActionType,
  CASE WHEN hit IS NOT NULL THEN planted_address(hit) ELSE background_address(rank) END AS RemoteIP,
  CASE WHEN hit IS NULL OR hit % 2 = 0 THEN 443 ELSE 8080 END AS RemotePort,
  '10.0.' || pick(i, 'x', 256) || '.' || pick(i, 'y', 256) AS LocalIP,
  ['chrome.exe', 'svchost.exe', 'teams.exe', 'powershell.exe'][1 + zipf(i, 'exe', 4)]
    AS InitiatingProcessFileName
FROM drawn ORDER BY i""",
    "url": """
SELECT at_time(i, $rows) AS Timestamp, 'user' || zipf(i, 'user', 5000) || '@corp.com' AS AccountUpn,
  CASE WHEN hit IS NOT NULL THEN 'http://' || planted(hit) || '/gate.php' ||
      CASE hit % 2 WHEN 0 THEN '' ELSE '?id=' || i END
    WHEN decoy IS NOT NULL THEN 'http://' || planted(decoy) || '.evil.org/gate.php'
    ELSE 'https://' || name || '/' || substr(md5('u' || rank), 1, 4 + rank % 20) ||
      CASE rank % 3 WHEN 0 THEN '?q=' || rank ELSE '' END END AS Url,
  'ClickAllowed' AS ActionType, 'Email' AS Workload
FROM drawn JOIN names USING (rank) ORDER BY i""",
    "hash": f"""
SELECT at_time(i, $rows) AS Timestamp, host_of(i) AS DeviceName, 'FileCreated' AS ActionType,
  'file' || rank % {_FILES} || '.dll' AS FileName, '' AS RequestProtocol,
  CASE WHEN hit IS NULL THEN sha256('f' || rank % {_FILES}) WHEN hit % 2 = 0
    THEN sha256('p' || hit) ELSE upper(sha256('p' || hit)) END AS SHA256
FROM drawn ORDER BY i""",
    "matching": f"""
SELECT at_time(i, $rows) AS TimeGenerated, 'dc1' AS Computer,
  client(pick(i, 'host', {_MATCHING_HOSTS})) AS ClientIP,
  'c' || pick(i, 'c', 40) || '.' || planted(pick(i, 'hit', {PLANTED_INDICATORS})) AS Name,
  'A' AS QueryType
FROM drawn ORDER BY i""",
}

_TEXT = {
    "csv": "SELECT TimeGenerated, Computer, ClientIP, Name, QueryType, IPAddresses, ResultCode",
    "ndjson": "SELECT strftime(TimeGenerated, '%Y-%m-%dT%H:%M:%S.%fZ') AS TimeGenerated, "
    "Computer, ClientIP, Name, QueryType, IPAddresses, ResultCode",
    "log": "SELECT printf('%.6f', epoch(TimeGenerated)) AS ts, 'C' || row_number() OVER () AS uid, "
    "ClientIP, 50000 AS op, '10.0.0.1' AS rh, 53 AS rp, 'udp' AS proto, Name AS query, "
    "QueryType, ResultCode, 'F' AS rejected, IPAddresses",
}
_TEXT_OPTIONS = {
    "csv": "FORMAT csv, HEADER true",
    "ndjson": "FORMAT json",
    "log": "FORMAT csv, HEADER false, DELIMITER '\t', NULLSTR '-', QUOTE ''",
}
_ZEEK_FIELDS = (
    *("ts", "uid", "id.orig_h", "id.orig_p", "id.resp_h", "id.resp_p", "proto", "query"),
    *("qtype_name", "rcode", "rejected", "answers"),
)
_ZEEK_TYPES = (
    *("time", "string", "addr", "port", "addr", "port", "enum", "string"),
    *("string", "count", "bool", "vector[string]"),
)


def write_log(kind: str, rows: int, path: Path) -> None:
    """Write one log as zstd Parquet, in order of time."""
    step = rows // PLANTED_EVENTS
    with duckdb.connect() as con:
        con.execute(_MACROS)
        if kind in ("dns", "url"):
            con.execute(
                "CREATE TEMP TABLE names AS SELECT r AS rank, name_of(r) AS name, "
                "background_address(r) || CASE WHEN r % 4 = 0 THEN ',' || "
                "background_address(r + 9) ELSE '' END AS addresses "
                f"FROM range(1, {_NAMES} + 1) t(r)"
            )
        con.execute(
            "CREATE TEMP VIEW drawn AS SELECT i, "
            f"zipf(i, '{kind}', {_NAMES}) AS rank, "
            f"CASE WHEN i % {step} = 7 THEN (i // {step}) % {PLANTED_INDICATORS} END AS hit, "
            f"CASE WHEN i % {step} = 11 AND (i // {step}) % 10 = 0 "
            f"THEN (i // {step}) % {PLANTED_INDICATORS} END AS decoy FROM range({rows}) t(i)"
        )
        select = _TABLES[kind].replace("$rows", str(rows))
        con.execute(f"COPY ({select}) TO '{path}' (FORMAT parquet, COMPRESSION zstd)")


def write_text(form: str, log: Path, path: Path) -> None:
    """Write a DNS log as text."""
    with duckdb.connect() as con:
        body = path.with_name(f"{path.name}.body")
        con.execute(
            f"COPY ({_TEXT[form]} FROM read_parquet('{log}')) TO '{body}' ({_TEXT_OPTIONS[form]})"
        )
    if form != "log":
        body.rename(path)
        return
    head = [
        "#separator \\x09",
        "#set_separator\t,",
        "#empty_field\t(empty)",
        "#unset_field\t-",
        "#path\tdns",
        "\t".join(("#fields", *_ZEEK_FIELDS)),
        "\t".join(("#types", *_ZEEK_TYPES)),
    ]
    with path.open("wb") as out, body.open("rb") as rows:
        out.write("".join(f"{line}\n" for line in head).encode())
        while chunk := rows.read(1 << 20):
            out.write(chunk)
    body.unlink()
