"""From a file's text to the types of a table's columns, as SQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from foxhunt.sql import identifier, literal
from foxhunt.tables import EXTRA_COLUMNS, Table

TEXT = "VARCHAR"
# Macros that read a time: any; any without slashes (see `SLASHED`); one that most logs have.
TIME, UNDATED_TIME, USUAL_TIME = "foxhunt_time", "foxhunt_undated_time", "foxhunt_usual_time"
# What stops a reading of times in which the order of day and month is not told.
SLASHED = "a date with slashes"
NONE_NULLED = "CAST(NULL AS VARCHAR)"
DUCKDB_TYPES = {
    "string": "VARCHAR",
    "guid": "VARCHAR",
    "datetime": "TIMESTAMP",
    "int": "BIGINT",
    "long": "BIGINT",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "dynamic": "JSON",
}

# Times as the sources write them: epoch seconds (Zeek), milli-, micro- or nanoseconds (Parquet of
# people's tools), ISO 8601 with any offset or none (none is UTC: Sentinel, Sysmon's UtcTime), and
# the Azure portal's M/D/YYYY in 12 or 24 hours, the way Excel saves it included.
# TIMESTAMP text goes through TIMESTAMPTZ so that an offset is honoured, with TimeZone UTC.
# An epoch below nine digits is before 1973 and more likely a port or a counter than a time; parts
# of a second are told by the digits that they have from 2001 to 2286, so that neither 14 digits
# (20260601100000) nor 18 (Windows' FILETIME) are taken for what they are not.
# Years that Python's datetime cannot hold, infinity among them, are no times of events.
# A number with a fraction is no integer: a cast alone would round port 443.7 to 444. Text that
# is its integer's own is one, which takes a third of the time of a pattern.
# The spellings that most logs have come first, each with casts that give for it what the rest
# would give, in a fraction of its time. An epoch that is written as the decimal number that it
# is has no sign, blank or exponent; below 2**31 a double tells its microseconds. A text without
# zone gets one, since ICU looks a zone up for each text that has none. A cast to TIMESTAMP alone
# would pass text that one to TIMESTAMPTZ refuses ('2026-06-01T10: 0', DuckDB 2.0.0).
# Of a date with slashes the year is written whole: 16/07/26 would be in the year 16.
MACROS = f"""
CREATE OR REPLACE TEMP MACRO foxhunt_other_time(v) AS CASE
  WHEN v IS NULL OR trim(v) = '' THEN NULL
  WHEN regexp_full_match(v, '[0-9]{{9,11}}([.][0-9]+)?')
    THEN make_timestamp(CAST(round(CAST(v AS DECIMAL(24, 9)) * 1000000) AS BIGINT))
  WHEN regexp_full_match(v, '[0-9]{{13}}([.][0-9]+)?')
    THEN make_timestamp(CAST(round(CAST(v AS DECIMAL(24, 6)) * 1000) AS BIGINT))
  WHEN regexp_full_match(v, '[0-9]{{16}}') THEN make_timestamp(CAST(v AS BIGINT))
  WHEN regexp_full_match(v, '[1-8][0-9]{{18}}') THEN make_timestamp(CAST(v AS BIGINT) // 1000)
  WHEN regexp_matches(v, '^\\s*[0-9]{{1,3}}/[0-9]{{1,2}}/[0-9]{{1,3}}([^0-9]|$)') THEN NULL
  ELSE coalesce(
    TRY_CAST(TRY_CAST(trim(v) AS TIMESTAMPTZ) AS TIMESTAMP),
    try_strptime(trim(v), ['%m/%d/%Y, %I:%M:%S.%g %p', '%m/%d/%Y, %I:%M:%S %p',
      '%m/%d/%Y %I:%M:%S.%g %p', '%m/%d/%Y %I:%M:%S %p', '%m/%d/%Y %I:%M %p',
      '%m/%d/%Y, %H:%M:%S.%g', '%m/%d/%Y, %H:%M:%S', '%m/%d/%Y %H:%M:%S.%g',
      '%m/%d/%Y %H:%M:%S', '%m/%d/%Y %H:%M'])) END;
CREATE OR REPLACE TEMP MACRO foxhunt_usual_time(v) AS CASE
  WHEN contains(v, '/') THEN NULL
  WHEN ends_with(v, 'Z') THEN make_timestamp(epoch_us(TRY_CAST(v AS TIMESTAMPTZ)))
  WHEN contains(v, ':') THEN make_timestamp(epoch_us(TRY_CAST(v || '+00' AS TIMESTAMPTZ)))
  WHEN strlen(v) = 17 AND v BETWEEN '0' AND '2147483647'
    AND CAST(TRY_CAST(v AS DECIMAL(16, 6)) AS VARCHAR) = v
    THEN make_timestamp(CAST(round(CAST(v AS DOUBLE) * 1000000) AS BIGINT)) END;
CREATE OR REPLACE TEMP MACRO foxhunt_time(v) AS
  coalesce(foxhunt_usual_time(v), foxhunt_other_time(v));
CREATE OR REPLACE TEMP MACRO foxhunt_undated_time(v) AS coalesce(foxhunt_usual_time(v),
  CASE WHEN contains(v, '/') THEN error({literal(SLASHED)}) ELSE foxhunt_other_time(v) END);
CREATE OR REPLACE TEMP MACRO foxhunt_years(t) AS
  CASE WHEN t BETWEEN TIMESTAMP '0001-01-01' AND TIMESTAMP '9999-12-31 23:59:59.999999' THEN t END;
CREATE OR REPLACE TEMP MACRO foxhunt_integer(v) AS
  CASE WHEN CAST(TRY_CAST(v AS BIGINT) AS VARCHAR) = v THEN TRY_CAST(v AS BIGINT)
    WHEN regexp_full_match(trim(v), '[-+]?[0-9]+([.]0*)?|0[xX][0-9A-Fa-f]+')
    THEN TRY_CAST(trim(v) AS BIGINT) END;
CREATE OR REPLACE TEMP MACRO foxhunt_real(v) AS
  CASE WHEN isfinite(TRY_CAST(v AS DOUBLE)) THEN TRY_CAST(v AS DOUBLE) END;
CREATE OR REPLACE TEMP MACRO foxhunt_boolean(v) AS
  CASE lower(trim(v)) WHEN 'true' THEN true WHEN 't' THEN true WHEN '1' THEN true
    WHEN 'false' THEN false WHEN 'f' THEN false WHEN '0' THEN false END;
"""

# A whole number needs no reading of its text.
_INTEGERS = {*("TINYINT", "SMALLINT", "INTEGER", "BIGINT"), *("UTINYINT", "USMALLINT", "UINTEGER")}


def kusto_type(name: str, table: Table) -> str:
    """The type of a column of a table, or of one that only sensors tell; else text."""
    return table.columns.get(name) or EXTRA_COLUMNS.get(name, "string")


def cast_sql(name: str, table: Table, source_type: str, time: str = TIME) -> str:
    """SQL that reads column ``name`` as its table says; NULL where it cannot be read.

    Args:
        name: The column.
        table: Its table.
        source_type: The type that the file gives it.
        time: The macro that reads a time of text. `UNDATED_TIME` stops at one with a slash,
            whose order of day and month the other values of the file have to tell.
    """
    column, kind = identifier(name), kusto_type(name, table)
    if kind == "datetime":
        if source_type.startswith("TIMESTAMP"):
            return f"TRY_CAST({column} AS TIMESTAMP)"
        return f"{time}(CAST({column} AS VARCHAR))"
    if is_native(kind, source_type):
        return f"CAST({column} AS {DUCKDB_TYPES[kind]})"
    if kind in ("int", "long"):
        return f"foxhunt_integer(CAST({column} AS VARCHAR))"
    if kind == "bool":
        return f"foxhunt_boolean(CAST({column} AS VARCHAR))"
    if kind == "real":
        return f"foxhunt_real({column})"
    if kind == "dynamic":
        is_nested = source_type.endswith("]") or source_type.startswith(("STRUCT", "MAP"))
        return f"to_json({column})" if is_nested else f"TRY_CAST({column} AS JSON)"
    # BLOB text (Parquet without a string annotation) would cast to '\\x41' escapes, not text.
    if source_type == "BLOB":
        return f"TRY(decode({column}))"
    if source_type.endswith("[]"):
        # As Sentinel's own text columns list things (DnsEvents.IPAddresses).
        return f"array_to_string({column}, ',')"
    return column if source_type == "VARCHAR" else f"CAST({column} AS VARCHAR)"


def is_native(kind: str, source_type: str) -> bool:
    """Whether every value of a type that a file gives is one of the table's column."""
    return (kind in ("int", "long") and source_type in _INTEGERS) or (
        kind == "bool" and source_type == "BOOLEAN"
    )


def read_name(name: str) -> str:
    """What the value of a column is called once it is read by `cast_sql`, quoted."""
    return identifier(f"_read {name}")


def value_sql(name: str, table: Table) -> str:
    """SQL of a value that was read, which is no time of a year that nobody can hold."""
    is_time = kusto_type(name, table) == "datetime"
    return f"foxhunt_years({read_name(name)})" if is_time else read_name(name)


def nulled_sql(columns: Sequence[str], source_types: Mapping[str, str], table: Table) -> str:
    """SQL that names the columns whose value is there but not of its type."""
    checks = {
        name: f"({value_sql(name, table)} IS NULL AND "
        f"trim(CAST({identifier(name)} AS VARCHAR)) <> '')"
        for name in columns
        if name not in (table.time, table.other_time)
        and (kusto_type(name, table) not in ("string", "guid") or source_types[name] == "BLOB")
        and not is_native(kusto_type(name, table), source_types[name])
    }
    if not checks:
        return NONE_NULLED
    names = ", ".join(f"CASE WHEN {check} THEN {literal(n)} END" for n, check in checks.items())
    # Most rows have none: a list of names is made only for those that have.
    return f"CASE WHEN {' OR '.join(checks.values())} THEN concat_ws(',', {names}) END"


def typed_columns(
    source: str, columns: Sequence[str], table: Table, times: Mapping[str, str]
) -> str:
    """A SELECT of all that the SELECT ``source`` gives, with ``columns`` as the table says.

    ``_nulled`` (see `foxhunt.logs.model.LogPart`) is added. ``source`` gives text.

    Args:
        source: The rows.
        columns: Columns of the table.
        table: The table.
        times: Columns of times to the macro that reads them, see `cast_sql`.
    """
    types = dict.fromkeys(columns, TEXT)
    casts = {name: cast_sql(name, table, TEXT, times.get(name, TIME)) for name in columns}
    reads = {name: cast for name, cast in casts.items() if cast != identifier(name)}
    values = "".join(f"{value_sql(name, table)} AS {identifier(name)}, " for name in reads)
    read = "".join(f", {cast} AS {read_name(name)}" for name, cast in reads.items())
    names = ", ".join([*map(identifier, reads), *map(read_name, reads)])
    # The text of a value is there until it is told whether it had one.
    others = f"* EXCLUDE ({names})" if names else "*"
    nulled = nulled_sql(columns, types, table)
    return f"SELECT {others}, {values}{nulled} AS _nulled FROM (SELECT *{read} FROM ({source}))"
