"""The judge itself: it must find what is wrong, else its silence means nothing."""

from __future__ import annotations

from foxhunt.lint.kusto import Kusto


def test_a_valid_query_has_no_errors_and_typed_columns(kusto: Kusto) -> None:
    judged = kusto.judge(
        'let bad = dynamic(["a.com"]);\nDnsEvents\n| where Name has_any (bad)\n'
        "| project TimeGenerated, Name, ResultCode"
    )

    assert judged.errors == ()
    assert judged.columns == (
        ("TimeGenerated", "datetime"),
        ("Name", "string"),
        ("ResultCode", "int"),
    )


def test_a_column_the_table_lacks_is_found_with_its_place(kusto: Kusto) -> None:
    """The pages filter ``process.name`` on DnsEvents (DESIGN 1)."""
    (error,) = kusto.judge('DnsEvents\n| where InitiatingProcessFileName == "x"').errors

    assert (error.code, error.line, error.column) == ("KS142", 2, 9)


def test_broken_syntax_is_found(kusto: Kusto) -> None:
    assert kusto.judge('DnsEvents | where Name == "unclosed').errors
    assert kusto.judge("DnsEvents | were Name").errors


def test_an_unknown_table_is_found(kusto: Kusto) -> None:
    assert kusto.judge("NoSuchTable | take 1").errors


def test_hostile_text_ends_no_string_of_the_harness(kusto: Kusto) -> None:
    """The query reaches V8 as a value, never as script."""
    assert kusto.judge("'); throw new Error(`${1}`); ('\u2028\\").errors
