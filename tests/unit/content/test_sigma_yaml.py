"""Lists that are written line by line are what PyYAML writes, sign for sign."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import example, given, settings
from hypothesis import strategies as st

from foxhunt.content.sigma_yaml import rule_text, scalar
from foxhunt.content.yaml_text import to_yaml

# What YAML 1.1 reads as something else than a text, and what is near to it.
LOOK_ALIKES = (
    *("1.5", "1.e", "1.e-5", ".5", ".inf", ".nan", "1.2.3", "1.2.3.4", "1:20", "1:20:30.5"),
    *("yes", "on.no", "n", "null", "~", "=", "<<", "0x1f", "0x1f.com", "1_000.com", "-", "-a.org"),
    *("2026-05-24", "2026-05-24T01:02:03Z", "12e3", "e3.org", "...", "---", "--- a", "a.b", "a: b"),
    *("a/:", "http://e.org:", "http://e.org/:", "evil.org/?a=1#b", "e.org/ #x", "?/a", "a.org:80"),
    *(
        "http://e.org/'\"",
        "//e.org/",
        "&a.org",
        "*.org",
        "!a",
        "%a",
        "@a",
        "`a",
        "[a]",
        "{a}",
        ",a",
    ),
    *("http://e.org/\\*\\?\\\\", "SHA256=AB", "SHA256=", "MD5=ab", "2a02::1", "::1", "::", "a\tb"),
    *("", " ", "a ", " a", "\ud800", "\x00", "\u202e", "\x85", "xn--p1ai.xn--p1ai", "a.xn--90a3ac"),
    *("x" * 20_000, f"http://e.org/{'x' * 20_000}", "x y " * 5_000),
)


def by_pyyaml(value: object) -> str:
    return to_yaml({"a": [value]}).removeprefix("a:\n- ").removesuffix("\n")


@pytest.mark.parametrize("text", LOOK_ALIKES)
def test_what_only_looks_plain_is_quoted(text: str) -> None:
    if "\ud800" not in text:  # libyaml takes no surrogates, and no value has any
        assert scalar(text) == by_pyyaml(text)


@settings(max_examples=150)
@given(st.text(alphabet="aezAE019.:/-_ ?#&*\\'\"=%@`~+,[]{}!|>\u00e9", max_size=12))
@example("a/")
def test_any_text_is_written_as_pyyaml_does(text: str) -> None:
    assert scalar(text) == by_pyyaml(text)
    assert yaml.safe_load(f"a: {scalar(text)}") == {"a": text}


def test_a_whole_rule_is_written_as_pyyaml_does() -> None:
    document = {
        "title": "a: b",
        "logsource": {"category": "dns"},
        "detection": {
            "selection_whole": {"query": ["evil.org", "1.5"], "Initiated": "true"},
            "selection_443": {"dst_ip": ["1.2.3.4", "::1"], "dst_port": 443},
            "condition": "1 of selection_*",
        },
        "level": "high",
    }

    assert rule_text(document) == to_yaml(document)
