"""The mapping file: strict, and every mistake at once with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from foxhunt.errors import MappingError
from foxhunt.feeds.siblings import read_mapping

from ..sibling_samples import MAPPING, write

LEAST = "source: x\ncolumns: {value: v, type: t, first_seen: f}\n"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(text: str) -> str:
    write(Path(), "map.yaml", text)
    with pytest.raises(MappingError) as caught:
        read_mapping("map.yaml")
    return str(caught.value)


def test_a_mapping_is_read_whole(tmp_path: Path) -> None:
    mapping = read_mapping(write(tmp_path, "map.yaml", MAPPING))

    assert (mapping.source, mapping.separator) == ("ministry", ";")
    assert mapping.time_format == "%d.%m.%Y %H:%M"
    assert mapping.columns["confidence_level"] == "score"
    assert mapping.constants == {"threat_type": "botnet_cc"}
    assert mapping.types == {"fqdn": "domain", "socket": "ip:port"}


def test_most_of_it_may_be_left_out(tmp_path: Path) -> None:
    mapping = read_mapping(write(tmp_path, "map.yaml", LEAST))

    assert (mapping.separator, mapping.time_format, dict(mapping.types)) == (",", None, {})


@pytest.mark.parametrize(
    ("separator", "read"),
    [("tab", "\t"), ('"\\t"', "\t"), ('"|"', "|"), ('";"', ";"), ('","', ",")],
)
def test_separators_are_written_as_they_are(tmp_path: Path, separator: str, read: str) -> None:
    text = f"{LEAST}separator: {separator}\n"

    assert read_mapping(write(tmp_path, "map.yaml", text)).separator == read


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "map.yaml: H320: an empty file (source: ..., columns: ...)"),
        ("- a\n", "map.yaml:1:1: H320: the file has to be a mapping"),
        ("source: [", "map.yaml:1:10: H320: not YAML"),
        ("a: &x 1\n", "anchors and aliases are not allowed"),
        ("source: !!python/object x\n", "the tag"),
        ("source: x\n", "map.yaml:1:1: H320: the file needs columns"),
        (f"{LEAST}colums: {{}}\n", "map.yaml:3:1: H320: unknown field 'colums' (columns?)"),
        (LEAST.replace("value:", "valu:"), "map.yaml:2:11: H320: unknown field 'valu' (value?)"),
        (f"{LEAST}source: y\n", "map.yaml:3:1: H320: the field 'source' stands twice"),
        (LEAST.replace("source: x", "source: ThreatFox"), "a feed with a reader of its own"),
        (LEAST.replace("source: x", "source: ''"), "source is empty"),
        (LEAST.replace("source: x", 'source: "a\\nb"'), "source is not 1 to 200 printable"),
        (LEAST.replace("value: v, ", ""), "columns needs value, or address and port"),
        (LEAST.replace("value: v", "address: a"), "columns needs value, or address and port"),
        (LEAST.replace("value: v", "value: v, port: p"), "columns needs value, or address"),
        (LEAST.replace("value: v", "address: a, port: p"), "type has no place beside them"),
        (LEAST.replace("type: t, ", ""), "type is missing (name its column, or one type"),
        (LEAST.replace(", first_seen: f", ""), "first_seen is missing"),
        (f"{LEAST}constants: {{type: domain}}\n", "type: in columns and in constants"),
        (
            f"{LEAST.replace('type: t, ', '')}constants: {{type: fqdn}}\n",
            "unknown type 'fqdn' (known: ip:port, domain, url",
        ),
        (f"{LEAST}types: {{fqdn: name}}\n", "map.yaml:3:15: H320: unknown type 'name'"),
        (f"{LEAST}types: {{fqdn: domain, fqdn: url}}\n", "the word 'fqdn' stands twice"),
        (f"{LEAST}types: domain\n", "types has to be a mapping (fqdn: domain)"),
        (f"{LEAST}constants: {{value: x}}\n", "unknown field 'value'"),
        (f"{LEAST}constants: {{confidence_level: 101}}\n", "no number from 0 to 100"),
        (f"{LEAST}separator: '::'\n", "separator '::' is none (one of , ; | or tab)"),
        (f"{LEAST}separator: ' '\n", "separator ' ' is none"),
        (f"{LEAST}time_format: '%H:%M'\n", "time_format '%H:%M' tells no day"),
        (f"{LEAST}time_format: 'day'\n", "time_format 'day' tells no day"),
        (f"{LEAST}time_format: [1]\n", "time_format has to be a text"),
    ],
)
def test_a_mistake_is_named_with_its_place(text: str, message: str) -> None:
    assert message in refused(text)


def test_every_mistake_is_named_at_once() -> None:
    text = refused("source: misp\nseparator: x\ncolumns: {valu: v}\nconstants: {typ: domain}\n")

    assert text.splitlines()[0].startswith("map.yaml:1:9: H320: ")
    for part in ("misp", "separator 'x'", "unknown field 'valu'", "unknown field 'typ'"):
        assert part in text


def test_a_file_that_cannot_be_read_is_said() -> None:
    with pytest.raises(MappingError, match="cannot be read: No such file"):
        read_mapping("none.yaml")


def test_a_mapping_that_is_no_text_is_said(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_bytes(b"source: \xff")

    with pytest.raises(MappingError, match="not UTF-8 text"):
        read_mapping("map.yaml")
