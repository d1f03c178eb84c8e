"""What is measured, and which ratios are made of it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from measure import Kind
from scales import FOXHUNT, PLANTED_EVENTS, Data, Scale

PEERS = Path(__file__).parent / "peers"
HELP = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One command.

    Attributes:
        id: What ``--only`` and the results call it; up to the first ``/`` its group.
        title: For people.
        command: The command.
        kind: How its answer is read.
        expected: How many events it has to find, or None when that is not the same question.
        home: FOXHUNT_HOME, the store with its indicators, or None.
        is_slow: Measured once, however many rounds there are.
    """

    id: str
    title: str
    command: tuple[str, ...]
    kind: Kind
    expected: int | None = None
    home: Path | None = None
    is_slow: bool = False


@dataclass(frozen=True, slots=True)
class Ratio:
    """One line of the table: the time of ``of``, in times of ``to``.

    Attributes:
        of: Id of a case.
        to: Id of another.
        target: What issue 5 promises, or None.
    """

    of: str
    to: str
    target: float | None = None


def cases(scale: Scale, data: Data) -> Iterator[Case]:
    """All commands of a scale, in the order of the table."""
    yield Case(id=HELP, title="foxhunt --help", command=(*FOXHUNT, "--help"), kind=Kind.BARE)
    yield from _dns(scale, data)
    yield from _dns_peers(scale, data)
    yield _page_query(scale, data)
    yield from _big(scale, data)
    yield from _other_types(scale, data)
    yield from _text(scale, data)
    yield from _exclusions(scale, data)
    yield from _converted(scale, data)


def ratios(scale: Scale) -> tuple[Ratio, ...]:
    """The lines of the table."""
    most = short(scale.feeds[-1])
    found = [Ratio("dns/distinct", "dns/scan")]
    found += [Ratio(f"dns/hunt-{short(count)}", "dns/scan", 4.0) for count in scale.feeds]
    found += [
        Ratio(f"dns/hunt-{most}-file", "dns/scan"),
        Ratio(f"dns/hunt-{most}", f"dns/hunt-{short(scale.feeds[0])}", 1.5),
        Ratio(f"dns/no-hits-{most}", f"dns/hunt-{most}", 1.0),
    ]
    found += [
        Ratio(f"peers/{name}", "dns/scan")
        for name in ("expert-sql", "plain-sql", "clickhouse", "polars", "kql-10", "kql-100")
    ]
    found += [Ratio("query/page-1000", "dns/scan", 20.0)]
    found += [Ratio("big/scan", "dns/scan"), Ratio("big/hunt", f"dns/hunt-{most}", 4.2)]
    found += [Ratio(f"{kind}/hunt", f"{kind}/scan", 5.0) for kind in ("network", "url", "hash")]
    found += [Ratio(f"text/{form}-hunt", f"text/{form}-scan", 1.5) for form in _READERS]
    found += [
        Ratio("text/ripgrep", "text/csv-scan"),
        Ratio("exclusions/hunt-1000", "exclusions/hunt-bare"),
        Ratio("converted/hunt", f"dns/hunt-{most}"),
        Ratio("converted/hunt-last-day", "converted/hunt"),
    ]
    return tuple(found)


def short(count: int) -> str:
    """A count as the table says it.

    >>> short(1_000), short(1_000_000)
    ('1k', '1M')
    """
    return f"{count // 1_000_000}M" if count >= 1_000_000 else f"{count // 1_000}k"


def _hunt(
    id_: str,
    title: str,
    log: Path,
    *options: str | Path,
    expected: int,
    home: Path | None = None,
    is_slow: bool = False,
) -> Case:
    command = (*FOXHUNT, "hunt", str(log), *map(str, options), "--format", "json", "--no-history")
    return Case(
        id=id_,
        title=title,
        command=command,
        kind=Kind.HUNT,
        expected=expected,
        home=home,
        is_slow=is_slow,
    )


def _peer(
    id_: str,
    title: str,
    script: str,
    *arguments: str | Path,
    expected: int | None = None,
    is_slow: bool = False,
) -> Case:
    command = (sys.executable, str(PEERS / f"{script}.py"), *map(str, arguments))
    return Case(
        id=id_, title=title, command=command, kind=Kind.PEER, expected=expected, is_slow=is_slow
    )


def _scan(id_: str, title: str, reader: str, log: Path, column: str) -> Case:
    return _peer(id_, title, "scan", f"{reader}={log}", column)


def _dns(scale: Scale, data: Data) -> Iterator[Case]:
    log, rows, most = data.log("dns", scale.dns_rows), short(scale.dns_rows), scale.feeds[-1]
    yield _scan("dns/scan", f"bare scan, {rows} DNS rows", "read_parquet", log, "Name")
    yield _peer(
        "dns/distinct", "count(DISTINCT Name)", "scan", f"read_parquet={log}", "Name", "distinct"
    )
    for count in scale.feeds:
        yield _hunt(
            f"dns/hunt-{short(count)}",
            f"foxhunt, {short(count)} domains",
            log,
            expected=PLANTED_EVENTS,
            home=data.store("domain", count),
        )
    yield _hunt(
        f"dns/hunt-{short(most)}-file",
        f"foxhunt, {short(most)} domains from a CSV export",
        log,
        "--indicators",
        data.feed("domain", most),
        expected=PLANTED_EVENTS,
        is_slow=True,
    )
    yield _hunt(
        f"dns/no-hits-{short(most)}",
        f"foxhunt, {short(most)} domains, no hits",
        log,
        expected=0,
        home=data.store("clean", most),
    )


def _dns_peers(scale: Scale, data: Data) -> Iterator[Case]:
    log, values = data.log("dns", scale.dns_rows), data.values("domain", scale.feeds[-1])
    count = short(scale.feeds[-1])
    for name, title, script in (
        ("expert-sql", "the expert's SQL", "duckdb_sql"),
        ("plain-sql", "the obvious SQL", "plain_sql"),
        ("clickhouse", "ClickHouse (chdb)", "clickhouse_sql"),
        ("polars", "Polars", "polars_frames"),
    ):
        yield _peer(
            f"peers/{name}",
            f"{title}, {count} domains",
            script,
            log,
            values,
            expected=PLANTED_EVENTS,
            is_slow=name == "plain-sql",
        )
    for number in ("10", "100"):
        # The page's has_any finds the look-alikes as well: its count is another one.
        yield _peer(
            f"peers/kql-{number}",
            f"the page's KQL (duckdb-kql), {number} domains",
            "kql_page",
            log,
            values,
            number,
            is_slow=True,
        )


def _page_query(scale: Scale, data: Data) -> Case:
    log, page = data.log("dns", scale.dns_rows), data.page(1_000)
    command = (*FOXHUNT, "query", "--file", str(page), str(log), "--format", "csv")
    # has_any finds the look-alikes as well.
    expected = PLANTED_EVENTS + PLANTED_EVENTS // 10
    title = "the page's KQL, foxhunt query, 1,000 domains"
    return Case(
        id="query/page-1000", title=title, command=command, kind=Kind.ROWS, expected=expected
    )


def _big(scale: Scale, data: Data) -> Iterator[Case]:
    log, rows, most = data.log("dns", scale.big_rows), short(scale.big_rows), scale.feeds[-1]
    yield _scan("big/scan", f"bare scan, {rows} DNS rows", "read_parquet", log, "Name")
    yield _hunt(
        "big/hunt",
        f"foxhunt, {rows} DNS rows, {short(most)} domains",
        log,
        expected=PLANTED_EVENTS,
        home=data.store("domain", most),
    )


def _other_types(scale: Scale, data: Data) -> Iterator[Case]:
    most = scale.feeds[-1]
    for kind, feed, column, what in (
        ("network", "ip", "RemoteIP", "addresses"),
        ("url", "url", "Url", "URLs"),
        ("hash", "hash", "SHA256", "hashes"),
    ):
        log, rows = data.log(kind, scale.rows), short(scale.rows)
        yield _scan(
            f"{kind}/scan", f"bare scan of {column}, {rows} rows", "read_parquet", log, column
        )
        yield _hunt(
            f"{kind}/hunt",
            f"foxhunt, {short(most)} {what}",
            log,
            expected=PLANTED_EVENTS,
            home=data.store(feed, most),
        )


# Form of a text log to how DuckDB reads it, and how its file ends.
_READERS = {"csv": "read_csv", "ndjson": "read_json", "zeek": "read_zeek"}
_ENDINGS = {"csv": "csv", "ndjson": "ndjson", "zeek": "log"}


def _text(scale: Scale, data: Data) -> Iterator[Case]:
    rows, few = short(scale.text_rows), scale.feeds[0]
    for form, reader in _READERS.items():
        log = data.text(_ENDINGS[form], scale.text_rows)
        yield _scan(f"text/{form}-scan", f"bare read of {form}, {rows} rows", reader, log, "Name")
        yield _hunt(
            f"text/{form}-hunt",
            f"foxhunt, {form}, {short(few)} domains",
            log,
            expected=PLANTED_EVENTS,
            home=data.store("domain", few),
        )
    yield _peer(
        "text/ripgrep",
        f"ripgrep -F, csv, {short(few)} domains",
        "ripgrep",
        data.text("csv", scale.text_rows),
        data.patterns("domain", few),
    )


def _exclusions(scale: Scale, data: Data) -> Iterator[Case]:
    rows, few = scale.matching_rows, scale.feeds[0]
    for name, title, options in (
        ("hunt-bare", "no exclusion", ()),
        ("hunt-1000", "1,000 exclusions", ("--exclusions", data.exclusions())),
    ):
        yield _hunt(
            f"exclusions/{name}",
            f"foxhunt, {short(rows)} matching rows, {title}",
            data.log("matching", rows),
            *options,
            expected=rows,
            home=data.store("domain", few),
        )


def _converted(scale: Scale, data: Data) -> Iterator[Case]:
    folder, most = data.converted(scale.dns_rows), scale.feeds[-1]
    step = scale.dns_rows // PLANTED_EVENTS
    last_day = sum((hit * step + 7) * 30 >= 29 * scale.dns_rows for hit in range(PLANTED_EVENTS))
    for name, title, options, expected in (
        ("hunt", "30 days", (), PLANTED_EVENTS),
        ("hunt-last-day", "the last of 30 days", ("--since", "2026-06-30"), last_day),
    ):
        yield _hunt(
            f"converted/{name}",
            f"foxhunt, converted folder, {title}",
            folder,
            *options,
            expected=expected,
            home=data.store("domain", most),
        )
