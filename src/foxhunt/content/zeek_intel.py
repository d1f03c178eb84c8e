"""An intelligence file for Zeek's Intel framework (Zeek docs, framework/intel, 2025)."""

from __future__ import annotations

from collections.abc import Iterator

from foxhunt.content.model import ContentFile, Subject
from foxhunt.content.notes import head, page_of, plain
from foxhunt.indicators import Indicator, IndicatorType
from foxhunt.rules import Rule
from foxhunt.rules.parsed import address_and_port, is_shared_host, key_of_url

_FIELDS = ("indicator", "indicator_type", "meta.source", "meta.desc", "meta.url")
_NOTE = (
    "Intel::DOMAIN matches the name alone, not its subdomains; Intel::ADDR any port; "
    "Intel::URL the whole URL without its scheme, in any case, and nothing over HTTPS."
)
_REASONS = {IndicatorType.URL: "the front page of a host that strangers share"}


def files(subject: Subject) -> Iterator[ContentFile]:
    """See `foxhunt.content.Content`."""
    rows = list(_rows(subject.rule))
    lines = list(head(subject.rule, [one for one, *_ in rows], _REASONS, _NOTE))
    written = [*(f"# {line}" for line in lines), "#fields\t" + "\t".join(_FIELDS)]
    for one, value, type_ in rows:
        cells = (
            value,
            type_,
            one.source,
            f"{one.malware_printable} {one.threat_type} confidence {one.confidence_level}",
            page_of(one) or "-",
        )
        written.append("\t".join(map(cell, cells)))
    yield ContentFile("zeek.intel", "".join(f"{line}\n" for line in written))


def cell(text: str) -> str:
    r"""A field of Zeek's ASCII format; ``-`` and ``(empty)`` would be read as no value.

    Zeek reads ``\x`` and two digits as a byte (ASCII reader, 2025).

    >>> cell("a\tb")
    'a b'
    >>> print(cell("-"), cell(r"a\b"))
    \x2d a\x5cb
    """
    kept = plain(text).replace("\\", "\\x5c")
    return f"\\x{ord(kept[0]):02x}{kept[1:]}" if kept[:1] in ("-", "(", "#") else kept


def _rows(rule: Rule) -> Iterator[tuple[Indicator, str, str]]:
    for one in rule.indicators:
        match one.type:
            case IndicatorType.DOMAIN:
                yield one, one.value, "Intel::DOMAIN"
            case IndicatorType.IP_PORT:
                yield one, str(address_and_port(one.value)[0]), "Intel::ADDR"
            case IndicatorType.URL:
                key = key_of_url(one.value)
                if key is not None and not (is_shared_host(key.host) and key.path in (None, "/")):
                    yield one, str(key), "Intel::URL"
            case IndicatorType.MD5 | IndicatorType.SHA1 | IndicatorType.SHA256:
                yield one, one.value, "Intel::FILE_HASH"
            case _:
                pass
