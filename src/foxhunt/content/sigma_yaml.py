"""A Sigma rule as YAML: its lists, which are thousands of values long, written line by line.

What is certainly a plain scalar is written as it is, and everything else goes through PyYAML,
value by value. The test of it is equality with what PyYAML writes for the whole rule.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache

from foxhunt.content.yaml_text import to_yaml

_LONG = "detection"
# Names, IPv4 addresses, URLs and Sysmon's hashes: nothing that YAML 1.1 takes for a number, a
# time or a word of its own, or that begins or ends with a sign of it (YAML 1.1, 5.3 and 9.1.3;
# what PyYAML resolves: yaml/resolver.py, 6.0).
_PLAIN = re.compile(
    r"\.?[A-Za-z0-9][A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]+)*\.[a-z](?:[a-z0-9-]*[a-z])?"
    r"|[0-9]{1,3}(?:\.[0-9]{1,3}){3}"
    r"|[A-Za-z0-9][!-~]*/(?:[!-~]*[!-9;-~])?"
    r"|(?:MD5|SHA1|SHA256)=[0-9A-F]+"
)


def rule_text(document: Mapping[str, object]) -> str:
    """A rule's YAML, key after key as they come; ``detection`` is not the first."""
    at = list(document).index(_LONG)
    pairs = list(document.items())
    lines = "".join(_detection(document[_LONG]))
    return f"{to_yaml(dict(pairs[:at]))}{_LONG}:\n{lines}{to_yaml(dict(pairs[at + 1 :]))}"


def _detection(detection: object) -> Iterator[str]:
    if not isinstance(detection, Mapping):
        raise TypeError(f"a detection is selections by name, not {type(detection).__name__}")
    for name, selection in detection.items():
        if isinstance(selection, Mapping):
            yield f"  {scalar(name)}:\n"
            yield from (_field(scalar(field), value) for field, value in selection.items())
        else:
            yield f"  {scalar(name)}: {scalar(selection)}\n"


def _field(field: str, value: object) -> str:
    if not isinstance(value, list):
        return f"    {field}: {scalar(value)}\n"
    return "\n    - ".join([f"    {field}:", *map(scalar, value)]) + "\n"


@lru_cache(maxsize=50_000, typed=True)  # three or four log sources list the same
def scalar(value: object) -> str:
    """A value of one line, as PyYAML writes it."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    # In a list of one: a document of its own would have an end marker behind it.
    return to_yaml([value]).removeprefix("- ").removesuffix("\n")
