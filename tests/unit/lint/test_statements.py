"""Where a query ends, what its statements and stages are, what it returns."""

from __future__ import annotations

import pytest

from foxhunt.lint.columns import lacking_columns, returned_columns
from foxhunt.lint.source import whole
from foxhunt.lint.statements import constants, queries_of, sources
from foxhunt.lint.tokens import Token, tokens


def of(text: str) -> list[Token]:
    return list(tokens(text))


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("T\n| take 1\n\nU\n| take 1\n", 2),
        ("// one\nT\n\n// two\nU\n", 2),
        ("// told\n\n// more\n\nT | take 1\n", 1),
        ("let a = 1;\n\nlet b = 2;\n\nT\n| take a\n", 1),
        ("T\n\n| where x\n\n| take 1\n", 1),
        ("T | where a ==\n\n1 and\n\nb", 1),
        ("let l = dynamic([\n\n'a',\n\n'b'\n\n]);\nT", 1),
        ("T | where x == ```a\n\nb```", 1),
        ("T;\n\nU", 2),
        ("let f = (x: string) {\n  T | take 1;\n\n  U\n};\nf('a')", 1),
        ("set notruncation;\n\nT", 1),
        ("// nothing but a comment\n", 0),
        ("\n\n", 0),
        ("", 0),
        ("T\n\n\n\n// the end\n", 1),
    ],
)
def test_a_file_is_cut_where_a_query_can_end(text: str, count: int) -> None:
    found = list(queries_of(whole(text)))

    assert len(found) == count
    for one in found:
        assert one.text == text[one.offsets[0] : one.offsets[-1] + 1]


def test_sources_are_tables_and_no_names_of_let() -> None:
    text = "let a = T | take 1; let b = dynamic(['x']); let c = U; a | union (V) | take 1"

    assert [one.text for one in sources(of(text))] == ["T"]
    assert [one.text for one in sources(of("print x = 1"))] == []
    assert [one.text for one in sources(of("T"))] == ["T"]


def test_constants_are_lists_and_no_queries() -> None:
    text = "let a = dynamic(['x', 'y']); let b = 'z'; let c = T | where d == 'no'; T"

    assert constants(of(text)) == {"a": ("x", "y"), "b": ("z",)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DnsEvents | project A = Name, TimeGenerated", {"A", "TimeGenerated"}),
        ("X | join (Y) on Z | project A | order by A | take 1", {"A"}),
        ("X | project A | extend B = strcat(A, ', '), C = 1 | where B == '|'", {"A", "B", "C"}),
        ("X | project tolower(A)", None),
        ("X | project A | extend strlen(A)", None),
        ("X | project A | summarize count() by A", None),
        ("X | where A == 1", None),
        ("let Y = X | project A;", None),
        ("X | project A | join (Y) on A", None),
    ],
)
def test_the_result_is_what_the_pipe_tells_or_unknown(text: str, expected: set[str] | None) -> None:
    assert returned_columns(of(text)) == expected


def test_a_table_without_a_project_returns_its_own_columns() -> None:
    returned = returned_columns(
        of("DnsEvents | where Name == 'x' | extend New = 1 | top 5 by Name")
    )

    assert returned is not None
    assert {"Name", "TimeGenerated", "New"} <= returned
    assert "RemoteIP" not in returned


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DnsEvents | where Nmae has 'x' and Name == Host", ["Nmae", "Host"]),
        ("DnsEvents | where name == 'x'", ["name"]),
        ("DnsEvents | extend N = Name | where N in~ ('a') | project N, Gone", ["Gone"]),
        ("let Bad = dynamic(['x']); DnsEvents | where Name has_any (Bad)", []),
        ("DnsEvents | summarize n = count() by Name | where n > 1", []),
        ("DnsEvents | where Name in (Other | project Gone)", []),
        ("DnsEvents | where tostring(Name.Gone) == 'x' and isnotempty(Name)", []),
        ("DnsEvents | where Type == 'x' and _Anything == 1 | order by Name asc nulls last", []),
        ("DnsEvents | where TimeGenerated between (ago(1d) .. now())", []),
        ("Other_CL | where Gone == 1", []),
        ("DnsEvents | join kind=inner (Other) on Name | where Gone == 1", []),
        ("let DnsEvents = Other; DnsEvents | where Gone == 1", []),
    ],
)
def test_columns_that_a_table_lacks(text: str, expected: list[str]) -> None:
    assert [token.text for token, _ in lacking_columns(of(text))] == expected
