"""Records of JSON: every shape ThreatFox and others give them, and what is no such JSON."""

from __future__ import annotations

import io
import json

import pytest

from foxhunt.errors import FeedError
from foxhunt.feeds.json_records import json_records
from foxhunt.feeds.raw import Broken, Reading

from .feed_samples import api_record, record

ONE, TWO = record(), record(ioc_value="winupdateservice.com")


def taken(text: str) -> tuple[Reading, list[tuple[str | None, object]]]:
    reading = Reading("feed.json")
    return reading, list(json_records(io.StringIO(text), reading))


def test_an_export_gives_its_records_with_their_ids() -> None:
    reading, records = taken(json.dumps({"12": [ONE], "7": [TWO]}))

    assert records == [("12", ONE), ("7", TWO)]
    assert reading.format == "JSON export"


def test_several_records_under_one_id_are_told_apart() -> None:
    """Under one id for all, the second would replace the first."""
    assert taken(json.dumps({"12": [ONE, TWO]}))[1] == [("12", ONE), ("12.2", TWO)]


def test_an_id_that_stands_twice_gives_two_records() -> None:
    text = f'{{"12": [{json.dumps(ONE)}], "12": [{json.dumps(TWO)}]}}'

    assert taken(text)[1] == [("12", ONE), ("12", TWO)]


def test_an_id_without_record_is_counted() -> None:
    _, (first, second) = taken(json.dumps({"1": [], "2": ONE}))

    assert first == ("1", Broken("", "no record under its id"))
    assert second == ("2", ONE)


@pytest.mark.parametrize("status", [{"query_status": "ok"}, {}])
def test_an_answer_gives_its_data(status: dict[str, str]) -> None:
    reading, records = taken(json.dumps(status | {"data": [api_record()]}))

    assert records == [(None, api_record())]
    assert reading.format == "API answer"


def test_data_before_its_status_is_read_the_same() -> None:
    assert taken(json.dumps({"data": [ONE], "query_status": "ok"}))[1] == [(None, ONE)]


def test_a_list_under_another_name_is_read_without_making_ids_of_places() -> None:
    reading, records = taken(json.dumps({"iocs": [ONE, TWO], "made": "2026-05-24"}))

    assert records == [(None, ONE), (None, TWO)]
    assert reading.columns == {"made"}


def test_a_bare_list_and_a_bare_record_are_read() -> None:
    assert taken(json.dumps([ONE, 7]))[1] == [(None, ONE), (None, 7)]
    reading, records = taken(json.dumps(api_record()))
    assert records == [(None, api_record())]
    assert reading.format == "JSON record"


def test_no_result_is_an_empty_answer_with_a_note() -> None:
    reading, records = taken('{"query_status": "no_result", "data": "Your search did not ..."}')

    assert records == []
    assert reading.notes == ["ThreatFox answered no_result: it knows no such indicator"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '{"query_status": "unknown_auth_key"}',
            "ThreatFox answered 'unknown_auth_key': the Auth-Key is not known",
        ),
        (
            '{"query_status": "illegal_days", "data": "Days must be ..."}',
            "ThreatFox answered 'illegal_days': days must be 1 to 7",
        ),
        ('{"query_status": "tuesday"}', "ThreatFox answered 'tuesday': not documented"),
        ('{"query_status": ["x"]}', "ThreatFox answered \"['x']\": not documented"),
        ('{"query_status": "ok", "data": "x"}', "holds no list of indicators"),
        ('{"query_status": "ok"}', "holds no list of indicators"),
        ('{"error": "Unauthorized"}', "an error of the server, not data: 'Unauthorized'"),
        ('{"b": 1, "a": []}', "JSON, but not ThreatFox's; its keys: ['a', 'b']"),
        ("[1] [2]", "more text after the end of the JSON, at character 5"),
        ('{"1": []}}', "more text after the end of the JSON, at character 10"),
        ("[1, 2", "cut off, at character 6"),
        ('{"1": [{"ioc_value": "x', "not JSON, or cut off, at character 7"),
        ('{"1": [{"ioc_value": nonsense, "x": "' + "y" * 40 + '"}]}', "not JSON: Expecting value"),
        ("[1 2]", "not JSON: ',' expected, not '2'"),
        ('{"a" 1}', "not JSON: ':' expected, not '1'"),
        ("{1: 2}", "not JSON: a key that is no string"),
        ("[" + "[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_not_threatfox_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(FeedError) as caught:
        taken(text)

    assert str(caught.value).startswith("feed.json: H201: ")
    assert message in str(caught.value)


def test_an_early_error_is_said_where_it_is_in_a_long_file() -> None:
    """And not, after 16 MiB were read, as a value that is too long."""
    text = '{"1": [{"a": nonsense}]' + ', "2": [{}]' * 3_000_000 + "}"

    with pytest.raises(FeedError, match="not JSON: Expecting value, at character 14"):
        taken(text)


def test_a_value_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(FeedError, match="a single value longer than"):
        taken('{"1": ["' + "x" * (40 * 1024 * 1024))


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_where_the_text_is_cut_into_chunks_makes_no_difference(
    monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    values: list[object] = [
        12,
        3.5e-7,
        -0.0,
        True,
        None,
        'é😀\\"',
        [],
        {},
        "",
        10**40,
        [1, [2, {"a": "b"}]],
    ]
    text = json.dumps({"123": [ONE | {"extra": values}], "data": values})
    whole = taken(text)[1]
    monkeypatch.setattr("foxhunt.feeds.json_text._CHUNK", size)

    assert taken(text)[1] == whole
    assert len(whole) == 1 + len(values)


def test_a_number_of_ten_thousand_digits_costs_its_record_only() -> None:
    _, records = taken(f'[{{"confidence_level": {"9" * 10_000}}}, {json.dumps(ONE)}]')

    assert records == [(None, {"confidence_level": "9" * 10_000}), (None, ONE)]


def test_control_characters_in_text_cost_no_file() -> None:
    assert taken('[{"ioc": "a\x00\nb"}]')[1] == [(None, {"ioc": "a\x00\nb"})]
