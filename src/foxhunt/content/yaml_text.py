"""YAML texts: what PyYAML writes, without its work for what is said again and again."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from itertools import groupby
from typing import TYPE_CHECKING

import yaml

# libyaml writes ten times as fast as PyYAML's own emitter; its wheels have it, a build need not.
if TYPE_CHECKING:
    from yaml import SafeDumper as _Emitter
else:
    _Emitter = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_Emitter):
    """Texts of several lines as blocks, and no anchors for what occurs twice."""

    def ignore_aliases(self, data: object) -> bool:
        """Say everything where it stands."""
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    # PyYAML falls back to quotes for what a block cannot hold: the text is never changed.
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _represent_text)


def to_yaml(value: Mapping[str, object] | Sequence[object]) -> str:
    """A YAML document in the order of ``value``; strings read back as they are."""
    return yaml.dump(value, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=10_000)


# Severities, spans and versions are shorter, ids and names are not.
_MOST_SHARED = 20


def document(value: Mapping[str, object]) -> str:
    """A mapping as `to_yaml` writes it, entry by entry; the test of it is equality.

    Long texts are blocks, which need no look at each character, and thousands of files share
    their lists and mappings. The values are texts, or what JSON can hold.
    """
    pieces = []
    for kind, entries in groupby(value.items(), _kind):
        if kind == "lines":
            pieces.append(to_yaml(dict(entries)))
        elif kind == "block":
            pieces += [f"{key}: |\n{_indented(str(text))}" for key, text in entries]
        elif kind == "data":
            pieces += [_shared(key, json.dumps(data)) for key, data in entries]
        else:
            return to_yaml(value)
    # What ends with line breaks ends a document with a sign, which stands in no middle.
    return to_yaml(value) if any(map(_has_end, pieces)) else "".join(pieces)


def _has_end(piece: str) -> bool:
    return piece.endswith("\n...\n")


def _kind(entry: tuple[str, object]) -> str:
    text = entry[1]
    if not isinstance(text, str):
        return "data"
    if "\n" not in text:
        return "data" if len(text) <= _MOST_SHARED else "lines"
    return "block" if _is_plain_block(text) else "other"


def _is_plain_block(text: str) -> bool:
    """Whether a block holds it without a sign of how it ends, or of how far it is indented.

    Libyaml refuses a block for what does not print and for a space before a line break.
    """
    return (
        text.isascii()
        and text.replace("\n", "").isprintable()
        and not text.startswith((" ", "\n"))
        and not text.endswith("\n\n")
        and text.endswith("\n")
        and " \n" not in text
    )


_LINE = re.compile("^(?=.)", re.MULTILINE)


def _indented(text: str) -> str:
    return _LINE.sub("  ", text)


@lru_cache(maxsize=1_000)
def _shared(key: str, data: str) -> str:
    return to_yaml({key: json.loads(data)})
