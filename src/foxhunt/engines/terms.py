"""Which of many values a ``has_any`` with a long list is true for, as duckdb-kql says it.

Every value is cut into its terms once, and runs of up to three terms are joined with one run of
each sought text. What meets is a candidate, and one regular expression for many texts decides:
the alternatives are those that duckdb-kql (1.1.2, `term_match_sql`) tests one by one. So cost
does not grow with the number of texts times that of values.

That no value is missed follows from what a term is: a sought text stands in a value only with
a border (no letter or number, or an end) at each edge that is a letter or number, so each of
its terms is a whole term of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

import duckdb
import pyarrow as pa

from foxhunt.sql import identifier

MOST_WITHOUT_TERM = 32
_LONGEST_RUN = 3
# With more, RE2's automaton outgrows its memory: 500 texts took 0.15 s over a million names, and
# 1,000 took 7 s.
_CHUNK_TEXTS = 200
_CHUNK_CHARACTERS = 4_000

_LEAD = r"(?:^|[^\pL\pN])"
_TRAIL = r"(?:$|[^\pL\pN])"
# Beside a letter outside of ASCII, where a term ends is a question of Unicode tables.
_ASCII_TERM = re.compile(r"(?<![a-z0-9]|[^\x00-\x7f])[a-z0-9]+(?![a-z0-9]|[^\x00-\x7f])")
# RE2 matches without case by Unicode's simple folding, where two letters outside of ASCII equal
# one in it: U+017F an s, U+212A a k (CaseFolding.txt, C and S). lower() knows only the second.
_FOLDED = "replace(lower(value), chr(383), 's')"


def run_of(text: str) -> tuple[str, ...]:
    """Up to three neighbouring terms that each value has in a row, the longest such run.

    >>> run_of("planted-3.badnet.com")
    ('3', 'badnet', 'com')
    >>> run_of("bücher.evil.com")
    ('evil',)
    >>> run_of("...")
    ()
    """
    terms = _ASCII_TERM.findall(text.lower() if text.isascii() else _lower_ascii(text))
    # Between terms of a text that is not all ASCII there may be another one.
    length = _LONGEST_RUN if text.isascii() else 1
    runs = [tuple(terms[at : at + length]) for at in range(max(1, len(terms) - length + 1))]
    return max(runs, key=lambda run: sum(map(len, run)))


def _lower_ascii(text: str) -> str:
    # str.lower() may turn a letter into an ASCII one and more.
    return "".join(char.lower() if char.isascii() else char for char in text)


def keep_matching(
    con: duckdb.DuckDBPyConnection, source: str, texts: Sequence[str], target: str
) -> None:
    """Make the table ``target`` of the values of ``source`` that hold any of ``texts``.

    Args:
        con: The connection; the tables are of its main schema.
        source: Table with one column ``value`` of text, distinct and without nulls.
        texts: What to look for. Those without a run, which should be few
            (`MOST_WITHOUT_TERM`), are looked for in every value.
        target: Table to make, with the column ``value``; one that met texts of several regular
            expressions is in it several times.

    Raises:
        duckdb.Error: Out of memory, or a text is too long for a regular expression.
    """
    con.execute(f"CREATE OR REPLACE TABLE {identifier(target)} (value VARCHAR)")
    _load_runs(con, {text: run_of(text) for text in texts})
    _join_runs(con, source)
    found = con.execute("SELECT DISTINCT sought FROM met ORDER BY sought").fetchall()
    for chunk in _chunks(text for (text,) in found):
        # Once for a value, however many of the texts it met.
        candidates = "(SELECT DISTINCT value FROM met WHERE list_contains($texts, sought))"
        _insert_matching(con, candidates, chunk, target)
    if free := [text for text in dict.fromkeys(texts) if not run_of(text)]:
        _insert_matching(con, identifier(source), free, target)
    con.execute("DROP TABLE met; DROP TABLE runs")


def _load_runs(con: duckdb.DuckDBPyConnection, runs: dict[str, tuple[str, ...]]) -> None:
    columns = {"sought": list(runs), "n": [len(run) for run in runs.values()]}
    for at in range(_LONGEST_RUN):
        columns[f"t{at + 1}"] = [run[at] if at < len(run) else None for run in runs.values()]
    types = {"n": pa.int64()}
    table = pa.table({n: pa.array(v, types.get(n, pa.string())) for n, v in columns.items()})
    con.register("run_rows", table)
    con.execute("CREATE OR REPLACE TEMP TABLE runs AS SELECT * FROM run_rows WHERE n > 0")
    con.unregister("run_rows")


def _join_runs(con: duckdb.DuckDBPyConnection, source: str) -> None:
    """Make the temp table ``met``: sought texts and the values that have their run."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE spans AS SELECT value, t[1] AS t1, t[2] AS t2, t[3] AS t3 "
        "FROM (SELECT value, unnest(list_zip(t, t[2:], t[3:])) AS t FROM (SELECT value, "
        rf"regexp_extract_all({_FOLDED}, '[\pL\pN]+') AS t FROM {identifier(source)})) "
        "WHERE t1 IN (SELECT t1 FROM runs)"
    )
    same = [f"spans.t{at} = runs.t{at}" for at in range(1, _LONGEST_RUN + 1)]
    joins = [
        f"SELECT sought, value FROM spans JOIN runs ON {' AND '.join(same[:n])} WHERE runs.n = {n}"
        for n in range(1, _LONGEST_RUN + 1)
    ]
    con.execute(f"CREATE OR REPLACE TEMP TABLE met AS {' UNION '.join(joins)}")
    con.execute("DROP TABLE spans")


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in texts:
        length = sum(map(len, chunk)) + len(text)
        if chunk and (len(chunk) == _CHUNK_TEXTS or length > _CHUNK_CHARACTERS):
            yield chunk
            chunk = []
        chunk.append(text)
    if chunk:
        yield chunk


def _insert_matching(
    con: duckdb.DuckDBPyConnection, source: str, texts: list[str], target: str
) -> None:
    parameters: dict[str, object] = {"pattern": _pattern(con, texts)}
    if "$texts" in source:
        parameters["texts"] = texts
    con.execute(
        f"INSERT INTO {identifier(target)} "
        f"SELECT value FROM {source} WHERE regexp_matches(value, $pattern)",
        parameters,
    )


def _pattern(con: duckdb.DuckDBPyConnection, texts: list[str]) -> str:
    """The regular expression for any of ``texts``.

    DuckDB says what is a letter or number at an edge, since Python's Unicode may be another one.
    """
    groups = con.execute(
        r"SELECT regexp_matches(t, '^[\pL\pN]'), regexp_matches(t, '[\pL\pN]$'), "
        "string_agg(regexp_escape(t), '|') FROM unnest(?::VARCHAR[]) sought(t) GROUP BY ALL",
        [texts],
    ).fetchall()
    alternatives = [
        f"{_LEAD if lead else ''}(?:{escaped}){_TRAIL if trail else ''}"
        for lead, trail, escaped in groups
    ]
    return f"(?i)(?:{'|'.join(alternatives)})"
