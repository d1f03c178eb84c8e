"""docs/errors.md: every code is there and no other, and its example is what is printed."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from foxhunt.cli import _exit_code
from foxhunt.cli.options import forced_tables
from foxhunt.engines import LocalEngine, TimeRange
from foxhunt.engines.query import run_query
from foxhunt.errors import HuntError, RetractedError, all_errors
from foxhunt.exclusions import read_exclusions
from foxhunt.feeds import read_file
from foxhunt.feeds.health import implausible, judge
from foxhunt.feeds.ledger import Part, PastPart
from foxhunt.feeds.siblings import read_mapping
from foxhunt.feeds.statuses import read_status, status_error
from foxhunt.findings import ValidityPolicy
from foxhunt.indicators import IndicatorType, parse
from foxhunt.indicators.bundle import read_bundle
from foxhunt.indicators.store import IndicatorStore
from foxhunt.lint.documents import read_document
from foxhunt.logs import LogFile, LogPart, LogReader, connect
from foxhunt.logs.streams import chunks
from foxhunt.rules import build_rule
from foxhunt.tables import get_table
from tests.families import indicator_set
from tests.subjects import text_of

TEXT = (Path(__file__).parents[2] / "docs" / "errors.md").read_text("utf-8")
ERRORS = {error.code: error for error in all_errors()}


def sections() -> dict[str, tuple[str, str]]:
    """Code to the class named in its heading and the text below."""
    parts = re.split(r"^## (H[0-9]{3}) (\w+)\n", TEXT, flags=re.MULTILINE)[1:]
    return {
        code: (name, text)
        for code, name, text in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    }


def example_of(code: str) -> str:
    (example,) = re.findall(r"```text\n(.*?)\n```", sections()[code][1], re.DOTALL)
    return str(example)


def a_table_without_a_name() -> object:
    return forced_tables(["dns.csv"])


def an_ambiguous_address() -> object:
    return parse("2a02:4780::1:443", IndicatorType.IP_PORT)


def a_shared_address() -> object:
    return parse("100.110.56.1:8080", IndicatorType.IP_PORT)


def a_web_page_as_feed() -> object:
    Path("recent.json").write_text("<html>", encoding="utf-8")
    return read_file("recent.json")


def a_store_without_its_snapshot() -> object:
    store = IndicatorStore(Path("foxhunt"))
    store.folder.mkdir(parents=True)
    name = "20260714T082411.120345Z-5f0c3a9e1b2d4c6f"
    (store.folder / "current").write_text(f"{name}\n", encoding="utf-8")
    return store.load()


def an_empty_store() -> object:
    return IndicatorStore(Path("foxhunt")).load()


def an_exclusion_without_an_owner() -> object:
    Path("exclusions.yaml").write_text(
        "exclusions:\n  - id: lab\n    scenario: test-environment\n    reason: The laboratory\n"
        "    expires: 2027-01-31\n    scope: {families: ['*'], types: ['*'], tables: ['*']}\n"
        "    when: {source_ip: 10.99.0.0/24}\n",
        encoding="utf-8",
    )
    return read_exclusions(["exclusions.yaml"])


def content_that_is_no_text() -> object:
    Path("rule.yaml").write_bytes(b"\xff")
    return read_document(Path("rule.yaml"))


def a_log_that_is_gone() -> object:
    return list(chunks(LogFile(Path("dns.log"), "dns.log", "none", b"")))


def an_unknown_table() -> object:
    return get_table("DnsEvent")


def an_answer_that_is_cut_off() -> object:
    Path("answer").write_bytes(b'{"query_status": "ok", "data": [')
    return read_status(Path("answer"), "get_iocs")


def a_feed_that_shrank() -> object:
    def part(read: int) -> Part:
        return Part(way="recent", name="ThreatFox export recent", read=read, quarantined=0)

    before = PastPart(began=datetime(2026, 7, 14, tzinfo=UTC), is_accepted=False, part=part(4_500))
    raise implausible(judge(part(12), [before]))


def a_mapping_of_no_field() -> object:
    Path("mapping.yaml").write_text(
        "source: ministry\nconstants:\n  type: domain\ncolumns:\n  valu: name\n"
        "  first_seen: seen\n",
        encoding="utf-8",
    )
    return read_mapping("mapping.yaml")


def a_bundle_that_is_none() -> object:
    Path("fox.bundle").write_bytes(b"PK")
    return read_bundle(Path("fox.bundle"))


def an_indicator_that_is_taken_back() -> object:
    raise RetractedError("revoked: its publisher took it back")


def a_log_that_needs_more_memory() -> object:
    line = f"2026-06-01T10:00:00Z,{'x' * 50_000},A\n"
    Path("dns.csv").write_text("TimeGenerated,Name,QueryType\n" + line * 400, "utf-8")
    with connect() as con:
        for setting in ("threads = 1", "max_temp_directory_size = '0B'", "memory_limit = '8MB'"):
            con.execute(f"SET {setting}")
        reader = LogReader(con, ["dns.csv"], needed=lambda _: {"Name": None})
        list(reader)
    raise reader.failures[0].error


def answered(status: str) -> Callable[[], object]:
    def raise_it() -> object:
        raise status_error("get_iocs", status)

    return raise_it


def a_rule_that_no_query_can_say() -> object:
    senders = indicator_set((IndicatorType.ENVELOPE_FROM, "mail@evil.org"))
    return text_of(build_rule("Fox", "win.fox", senders), "kql")


def a_file_that_goes_away() -> object:
    """An engine's failure is a value; what a report prints is its error."""
    with connect() as con:
        con.execute("COPY (SELECT 'texornacu.com' AS Name) TO 'dns.parquet'")
        con.execute(
            "CREATE VIEW part AS SELECT 1::BIGINT AS _row, NULL::VARCHAR AS _refused, "
            "NULL::VARCHAR AS _nulled, Name, TIMESTAMP '2026-06-01' AS TimeGenerated "
            "FROM 'dns.parquet'"
        )
        Path("dns.parquet").unlink()
        file = LogFile(Path("dns.parquet"), "dns.parquet", "none", b"")
        part = LogPart(
            table="DnsEvents",
            file=file,
            format="parquet",
            view="part",
            columns=("Name", "TimeGenerated"),
            columnar=True,
        )
        rule = build_rule("Fox", "*", indicator_set((IndicatorType.DOMAIN, "texornacu.com")))
        engine = LocalEngine(con, rule, policy=ValidityPolicy(), times=TimeRange())
        error = engine.run(part).error
    assert error is not None
    raise error


def a_query_with_a_typing_error() -> object:
    with connect() as con:
        return run_query(con, "DnsEvents | were Name", "query")


EXAMPLES: dict[str, Callable[[], object]] = {
    "H100": a_table_without_a_name,
    "H101": an_ambiguous_address,
    "H102": a_shared_address,
    "H201": a_web_page_as_feed,
    "H202": a_store_without_its_snapshot,
    "H203": an_empty_store,
    "H204": an_exclusion_without_an_owner,
    "H205": content_that_is_no_text,
    "H301": a_log_that_is_gone,
    "H302": an_unknown_table,
    "H310": an_answer_that_is_cut_off,
    "H311": answered("unknown_auth_key"),
    "H312": answered("rate_limited"),
    "H313": answered("http_post_expected"),
    "H314": answered("illegal_days"),
    "H315": a_feed_that_shrank,
    "H320": a_mapping_of_no_field,
    "H325": a_bundle_that_is_none,
    "H340": an_indicator_that_is_taken_back,
    "H353": a_log_that_needs_more_memory,
    "H401": a_rule_that_no_query_can_say,
    "H501": a_file_that_goes_away,
    "H502": a_query_with_a_typing_error,
}


def test_every_error_is_documented_and_every_documented_error_exists() -> None:
    documented = {code: name for code, (name, _) in sections().items()}

    assert documented == {code: error.__name__ for code, error in ERRORS.items()}
    assert list(documented) == sorted(documented)


def test_every_error_but_the_base_has_an_example() -> None:
    assert set(EXAMPLES) == set(ERRORS) - {"H000"}


@pytest.mark.parametrize("code", EXAMPLES)
def test_the_example_is_what_is_printed(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    with pytest.raises(ERRORS[code]) as caught:
        EXAMPLES[code]()

    assert type(caught.value) is ERRORS[code]
    assert str(caught.value) == example_of(code)


@pytest.mark.parametrize("code", EXAMPLES)
def test_every_section_says_what_to_do_after_its_example(code: str) -> None:
    before, _, rest = sections()[code][1].partition("```text\n")

    assert before.strip()
    assert rest.partition("```\n")[2].strip()


def test_the_table_of_codes_is_the_tree_with_its_exit_codes() -> None:
    rows = re.findall(r"^\| (H[0-9]{3}) \| (\w+) \| ([0-9]) \| .+ \|$", TEXT, re.MULTILINE)

    assert rows == [
        (code, error.__name__, str(int(_exit_code(error("x"))))) for code, error in ERRORS.items()
    ]
    assert all(issubclass(error, HuntError) for error in ERRORS.values())
