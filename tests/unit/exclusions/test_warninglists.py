"""Reading MISP's warning lists: which files, what they are about, and when it is too much."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from foxhunt.errors import UsageError
from foxhunt.exclusions import load_warninglists, warninglists


def write_list(path: Path, **fields: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"name": path.stem, "type": "string", **fields}))
    return path


def test_a_checkout_of_the_lists_is_read_without_what_lies_beside_them(tmp_path: Path) -> None:
    write_list(tmp_path / "lists" / "alexa" / "list.json", name="top", list=["a.org"])
    write_list(tmp_path / "lists" / "rfc" / "list.json", name="rfc", list=["a.org"])
    (tmp_path / "schema.json").write_text("{}")

    lists = load_warninglists(tmp_path)

    assert lists.labels("domain", "a.org") == ("top", "rfc")


def test_a_list_without_a_name_is_called_after_its_file(tmp_path: Path) -> None:
    write_list(tmp_path / "sites" / "list.json", name="", list=["a.org"])

    assert load_warninglists(tmp_path).labels("domain", "a.org") == ("sites",)


def test_two_lists_of_one_name_are_one_label(tmp_path: Path) -> None:
    write_list(tmp_path / "a.json", name="sites", list=["a.org"])
    write_list(tmp_path / "b.json", name="sites", list=["a.org"])

    assert load_warninglists(tmp_path).labels("domain", "a.org") == ("sites",)


@pytest.mark.parametrize(
    ("attributes", "is_known"),
    [
        (["ip-dst|port"], {"ip:port"}),
        (["domain|ip"], {"ip:port", "domain"}),
        (["hostname"], {"domain"}),
        (["url"], set()),
        (["filename|md5", "ssdeep"], {"md5_hash"}),
        (["ssdeep"], set()),
        ([], {"ip:port", "domain", "md5_hash"}),
        (None, {"ip:port", "domain", "md5_hash"}),
    ],
)
def test_a_list_is_about_its_attributes_or_without_any_about_everything(
    tmp_path: Path, attributes: list[str] | None, is_known: set[str]
) -> None:
    entries = ["45.137.22.7", "a.org", "0" * 32]
    write_list(tmp_path / "x.json", list=entries, matching_attributes=attributes)
    lists = load_warninglists(tmp_path)

    values = [("ip:port", "45.137.22.7:443"), ("domain", "a.org"), ("md5_hash", "0" * 32)]

    assert {value[0] for value in values if lists.labels(*value)} == is_known


@pytest.mark.parametrize(
    ("url", "is_known"),
    [
        ("http://a.org/", True),  # by its host
        ("https://b.org/x/y?q=1", True),  # as a whole, whatever its scheme
        ("http://b.org/x/y?q=2", False),
        ("http://c.a.org/", False),  # `string` is exact
        ("http://[2a02::1]:8080/x", True),
    ],
)
def test_a_url_is_known_by_its_host_and_as_a_whole(
    tmp_path: Path, url: str, is_known: bool
) -> None:
    entries = ["a.org", "http://b.org/x/y?q=1", "2A02:0::1"]
    write_list(tmp_path / "x.json", list=entries, matching_attributes=["url"])

    assert bool(load_warninglists(tmp_path).labels("url", url)) is is_known


def test_an_ipv6_indicator_is_known_by_its_address(tmp_path: Path) -> None:
    write_list(tmp_path / "x.json", type="cidr", list=["2a02:4780::/32"])
    lists = load_warninglists(tmp_path)

    assert lists.labels("ip:port", "[2a02:4780::1]:8080") == ("x",)
    assert lists.labels("ip:port", "[2a02:4781::1]:8080") == ()


def test_a_string_with_a_dot_in_front_matches_nothing_and_is_said_so(tmp_path: Path) -> None:
    """MISP's own list of Google's domains is spelt like this; `string` is exact there too."""
    write_list(tmp_path / "google.json", list=[".google.ad"])

    lists = load_warninglists(tmp_path)

    assert lists.labels("domain", "google.ad") == ()
    assert [one.entry for one in lists.unused] == [".google.ad"]


def test_what_is_shown_of_a_list_is_printable(tmp_path: Path) -> None:
    write_list(
        tmp_path / "x.json", name="top\x1b[2J\ud800", type="cidr", list=["\ud800\n", "1.2.3.4"]
    )

    lists = load_warninglists(tmp_path)

    assert lists.labels("ip:port", "1.2.3.4:80") == ("top [2J ",)
    assert all(one.entry.isprintable() for one in lists.unused)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b'{"list": ["a"],\n "type" "string"}', r"x\.json:2:9: H100: not JSON"),
        (b'{"list": ["a", 5]}', r"x\.json, record 2: H100: an entry is text"),
        (b'{"list": ["a"], "type": "regexp"}', r"type 'regexp' is none of string, substring"),
        (b'{"list": ["a"], "type": ["string"]}', "is none of"),
        (b'{"list": ["a"], "name": 5}', "`name` is no text"),
        (b'{"list": ["a"], "matching_attributes": "url"}', "`matching_attributes` is no list"),
        (b'{"list": [' + b'"' + b"a" * 5000 + b'"]}', "at most 4096"),
        (b"\xff\xfe\x00", "not JSON"),
        (b"[" * 100_000, "nested too deeply"),
        (b'{"list": [' + b"9" * 5000 + b"]}", "not JSON"),
    ],
)
def test_a_broken_list_is_refused_with_its_place(
    tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "x.json").write_bytes(content)

    with pytest.raises(UsageError, match=message):
        load_warninglists(tmp_path)


@pytest.mark.parametrize(
    ("limit", "value", "message"),
    [
        ("MAX_FILE_BYTES", 10, "larger than"),
        ("MAX_LISTS", 1, "2 warning lists; 1 are read at most"),
        ("MAX_ENTRIES", 3, "more than 3 entries"),
        ("MAX_REGEXES", 1, "1 of them regexes"),
    ],
)
def test_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, value: int, message: str
) -> None:
    for name in ("a", "b"):
        write_list(tmp_path / f"{name}.json", type="regex", list=["x", "y"])
    load_warninglists(tmp_path)
    monkeypatch.setattr(warninglists, limit, value)

    with pytest.raises(UsageError, match=message):
        load_warninglists(tmp_path)


def test_a_folder_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such folder"):
        load_warninglists(tmp_path / "nowhere")
