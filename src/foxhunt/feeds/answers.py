"""Answers of ThreatFox's API that are no indicators: its vocabularies."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from foxhunt.errors import AnswerError

_Fields = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class MalwareLabel:
    """A family as ThreatFox spells it.

    Attributes:
        malware: Malpedia label, e.g. ``win.cobalt_strike``.
        printable: Its name, or the label where it has none.
        aliases: Other names, in ThreatFox's order.
    """

    malware: str
    printable: str
    aliases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownType:
    """A pair of types that ThreatFox takes together.

    Attributes:
        ioc_type: e.g. ``ip:port``.
        threat_type: e.g. ``botnet_cc``.
        description: In a sentence, or ``""``.
    """

    ioc_type: str
    threat_type: str
    description: str


@dataclass(frozen=True, slots=True)
class KnownTag:
    """A tag in use.

    Attributes:
        tag: As it is spelled.
        first_seen: As ThreatFox writes it, or None.
        last_seen: Likewise.
    """

    tag: str
    first_seen: str | None
    last_seen: str | None


def read_malware_labels(path: Path, name: str) -> tuple[MalwareLabel, ...]:
    """Read an answer to ``get_label`` (a list) or ``malware_list`` (an object by label).

    Raises:
        AnswerError: It is neither.
    """
    return tuple(
        MalwareLabel(
            malware=(label := _text(fields, "malware", name, key)),
            printable=_optional(fields, "malware_printable", name) or label,
            aliases=_words(_optional(fields, "malware_alias", name)),
        )
        for key, fields in _entries(path, name)
    )


def read_types(path: Path, name: str) -> tuple[KnownType, ...]:
    """Read an answer to ``types``, an object by number.

    Raises:
        AnswerError: It is none.
    """
    return tuple(
        KnownType(
            ioc_type=_text(fields, "ioc_type", name),
            threat_type=_text(fields, "fk_threat_type", name),
            description=_optional(fields, "description", name) or "",
        )
        for _, fields in _entries(path, name)
    )


def read_tags(path: Path, name: str) -> tuple[KnownTag, ...]:
    """Read an answer to ``tag_list``, an object by tag.

    Raises:
        AnswerError: It is none.
    """
    return tuple(
        KnownTag(
            tag=_text(fields, "tag", name, key),
            first_seen=_optional(fields, "first_seen", name),
            last_seen=_optional(fields, "last_seen", name),
        )
        for key, fields in _entries(path, name)
    )


def _entries(path: Path, name: str) -> Iterator[tuple[str | None, _Fields]]:
    """The entries of ``data``, each with its key if it is an object's."""
    try:
        answer = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise AnswerError(f"{name}: no JSON: {reason}") from None
    # Under "data" if there is a status, else (a mirror's copy) the whole.
    is_wrapped = isinstance(answer, dict) and "query_status" in answer
    data = answer.get("data") if is_wrapped else answer
    if not isinstance(data, dict | list):
        raise AnswerError(f"{name}: the answer holds no list")
    for key, fields in data.items() if isinstance(data, dict) else ((None, item) for item in data):
        if not isinstance(fields, dict):
            raise AnswerError(f"{name}: an entry of the answer is a {type(fields).__name__}")
        yield key, fields


def _text(fields: _Fields, field: str, name: str, key: str | None = None) -> str:
    text = key or _optional(fields, field, name)
    if not text:
        raise AnswerError(f"{name}: an entry of the answer has no {field}")
    return text


def _optional(fields: _Fields, field: str, name: str) -> str | None:
    value = fields.get(field)
    if value is None or isinstance(value, str):
        return value or None
    raise AnswerError(f"{name}: {field} is no text but a {type(value).__name__}")


def _words(text: str | None) -> tuple[str, ...]:
    return tuple(word for part in (text or "").split(",") if (word := part.strip()))
