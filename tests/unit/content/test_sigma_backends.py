"""SPL and ES|QL: their literals are read back as those languages read them."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxhunt.content import Subject, get_content
from foxhunt.content.sigma_detection import texts
from foxhunt.content.sigma_esql import chained, quoted
from foxhunt.errors import ParseError, UnsupportedError, UsageError
from foxhunt.indicators import Indicator, IndicatorSet, IndicatorType, parse
from foxhunt.rules import build_rule
from tests import families
from tests.golden_files import check
from tests.subjects import text_of
from tests.unit.content.test_sigma import rule_of

FORMATS = ("splunk", "esql")
MOST_ESQL_CHARACTERS = 1_000_000
MOST_ESQL_DEPTH = 400


def emitted(format_name: str, *indicators: Indicator) -> str:
    return text_of(build_rule("Rat", "win.rat", IndicatorSet.of(indicators)), format_name)


def urls(*values: str) -> Iterator[Indicator]:
    for number, value in enumerate(values):
        yield families.indicator(IndicatorType.URL, value, number)


@pytest.mark.parametrize("name", ["every_type", "hostile"])
@pytest.mark.parametrize("format_name", FORMATS)
def test_golden_files(format_name: str, name: str) -> None:
    check(f"content/{format_name}/{name}.{format_name}", text_of(rule_of(name), format_name))


# Tokens of EsqlBaseLexer.g4 (elastic/elasticsearch, 2025), as far as the queries have any.
_ESQL_TOKENS = re.compile(
    r"(?P<comment>//[^\r\n]*)"
    r'|(?P<string>"(?:\\[tnr"\\]|[^\r\n"\\])*")'
    r"|(?P<word>@?[A-Za-z_][A-Za-z0-9_]*|[0-9]+)"
    r"|(?P<sign>==|[(),.|]|\s+)"
)
_ESQL_INDICES = re.compile(r"(?<=from )[a-z*,-]+")
_ESQL_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", '"': '"', "\\": "\\"}


def esql_tokens(text: str) -> list[re.Match[str]]:
    """The tokens of queries, one after the other and nothing between."""
    found, at = [], 0
    while at < len(text):
        token = _ESQL_INDICES.match(text, at) or _ESQL_TOKENS.match(text, at)
        assert token is not None, f"no token at {text[at : at + 40]!r}"
        found.append(token)
        at = token.end()
    return found


def esql_strings(text: str) -> set[str]:
    return {
        re.sub(r"\\(.)", lambda escape: _ESQL_ESCAPES[escape[1]], token[0][1:-1])
        for token in esql_tokens(text)
        if token[0].startswith('"')
    }


def esql_depth(text: str) -> int:
    """How deep Elasticsearch nests: a level for a parenthesis, and one for each link of a chain."""
    deepest, chains = 0, [0]
    for token in esql_tokens(text):
        if token[0] == "(":
            chains.append(0)
        elif token[0] == ")":
            chains.pop()
        elif token[0] in ("or", "and"):
            chains[-1] += 1
        elif token[0] == "|":
            chains = [0]
        deepest = max(deepest, sum(chains) + len(chains))
    return deepest


def spl_strings(text: str) -> set[str]:
    """The strings of searches, in which a backslash makes any sign itself; comments are gone."""
    searches = re.sub(r"```.*?```", " ", text, flags=re.DOTALL)
    return {
        re.sub(r"\\(.)", r"\1", found) for found in re.findall(r'"((?:[^"\\]|\\.)*)"', searches)
    }


@given(st.text())
def test_an_esql_string_reads_back(text: str) -> None:
    assert esql_strings(quoted(text)) == {text}


# What WHATWG leaves in a query as it is, and what it does not.
_HOSTILE = st.text(alphabet="ab\"\\*?`'|[]{}$%&#;/ \n\t\x00\u202e\u00e9", max_size=30)


@settings(deadline=None, max_examples=60)
@given(_HOSTILE)
def test_every_url_reads_back_or_is_left_out(text: str) -> None:
    try:
        parse(value := f"http://evil.org/a?{text}", IndicatorType.URL)
    except ParseError:
        return
    one, plain = urls(value, "http://good-company.org/b")
    whole = set(texts(one)[0])

    assert {text.lower() for text in whole} <= esql_strings(emitted("esql", one))
    found = emitted("splunk", one, plain)
    if any(char in text for text in whole for char in "*`"):
        assert not whole & spl_strings(found)
        assert "Left out: 1 url (an asterisk or a backtick" in found
    else:
        assert whole <= spl_strings(found)


def test_spl_has_no_asterisk_but_its_own() -> None:
    """Splunk knows no escape for it: the query would find other pages as well."""
    text = emitted("splunk", *urls("http://evil.org/*", "http://worse.org/b"))

    assert "evil.org" not in text
    assert all("*" not in found[1:-1] for found in spl_strings(text))
    assert "\\*" not in text


def test_a_family_of_which_spl_can_say_nothing_is_refused() -> None:
    with pytest.raises(UnsupportedError, match="an asterisk or a backtick in it"):
        emitted("splunk", *urls("http://evil.org/*"))


def test_esql_compares_without_case() -> None:
    text = emitted("esql", *urls("http://evil.org/Gate"))
    fields = re.findall(r"(?:url|dns)\.[a-z.]+", text.partition("where")[2])

    assert "http://evil.org/gate" in esql_strings(text)
    assert fields
    assert text.count("to_lower(url.") == len(fields)


def test_esql_compares_addresses_as_addresses() -> None:
    text = emitted("esql", families.indicator(IndicatorType.IP_PORT, "45.137.22.7:443"))

    assert 'destination.ip=="45.137.22.7" and destination.port==443' in text


def test_esql_looks_for_each_hash_in_the_field_of_its_algorithm() -> None:
    text = emitted("esql", families.indicator(IndicatorType.SHA256, families.SHA256))

    assert f'to_lower(process.hash.sha256)=="{families.SHA256}"' in text
    assert f'to_lower(file.hash.sha256)=="{families.SHA256}"' in text


def test_splunk_asks_the_events_that_a_log_source_is() -> None:
    text = emitted("splunk", families.indicator(IndicatorType.DOMAIN, "evil.org"))
    (query,) = [line for line in text.split("\n") if "QueryName" in line]

    assert query == (
        'source IN ("WinEventLog:Microsoft-Windows-Sysmon/Operational", '
        '"XmlWinEventLog:Microsoft-Windows-Sysmon/Operational") EventCode=22 '
        'QueryName IN ("evil.org", "*.evil.org")'
    )


@pytest.mark.parametrize("count", [1, 50, 51, 2500, 2501, 20_000])
def test_a_long_list_of_alternatives_is_whole_and_not_deep(count: int) -> None:
    text = chained([f"a{number}" for number in range(count)])

    assert re.findall(r"a[0-9]+", text) == [f"a{number}" for number in range(count)]
    assert esql_depth(text) < MOST_ESQL_DEPTH / 2


def test_long_lists_become_queries_that_elasticsearch_takes() -> None:
    hostile = [f"http://evil{number}.org/?{chr(92) * 1200}" for number in range(9)]
    short = [f"http://e{number}.org/" for number in range(150)]
    text = emitted("esql", *urls(*hostile, *short))
    queries = [block for block in text.split("\n\n") if "from " in block]

    assert len(queries) > 1
    assert "part 2 of" in text
    assert max(map(len, queries)) < MOST_ESQL_CHARACTERS
    assert max(map(esql_depth, queries)) < MOST_ESQL_DEPTH
    assert {value.removeprefix("http://") for value in short} <= esql_strings(text)


def test_a_url_too_long_for_a_query_is_left_out() -> None:
    long, short = urls(f"http://evil.org/{'x' * 16_000}", "http://worse.org/b")

    for format_name in FORMATS:
        text = emitted(format_name, long, short)
        assert "Left out: 1 url (" in text
        assert "xxx" not in text


@pytest.mark.parametrize("format_name", FORMATS)
def test_hostile_text_about_a_family_stays_in_its_comment(format_name: str) -> None:
    name = '"x``` | delete // \n| drop *\r\n*/ \u2028'
    one = families.indicator(IndicatorType.DOMAIN, "evil.org", malware_printable=name)
    rule = build_rule(name, "win.rat", IndicatorSet.of([one]))
    text = text_of(rule, format_name)

    if format_name == "esql":
        esql_tokens(text)
        code = re.sub(r"//.*", "", text)
    else:
        comments = re.findall(r"```([^`]*)```", text)
        code = re.sub(r"```[^`]*```", "", text)
        assert "`" not in code
        assert all('"' not in comment for comment in comments)
    assert "delete" not in code
    assert "drop" not in code


@pytest.mark.parametrize(
    ("format_name", "module", "package"),
    [
        ("splunk", "sigma.backends.splunk.splunk", "pysigma-backend-splunk"),
        (
            "esql",
            "sigma.backends.elasticsearch.elasticsearch_esql",
            "pysigma-backend-elasticsearch",
        ),
    ],
)
def test_without_pysigma_the_user_is_told_what_to_install(
    format_name: str, module: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.delitem(sys.modules, f"foxhunt.content.sigma_{format_name}", raising=False)

    with pytest.raises(UsageError, match=f"{package} is not installed") as raised:
        text_of(rule_of("unknown_rat"), format_name)
    assert raised.value.hint == "pip install 'foxhunt[sigma]'"


@pytest.mark.parametrize("format_name", [*FORMATS, "sigma"])
def test_the_same_rule_is_the_same_bytes(format_name: str) -> None:
    subject = Subject(rule=rule_of("every_type"))
    render = get_content(format_name)

    assert list(render(subject)) == list(render(subject))
