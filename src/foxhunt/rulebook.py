"""Rules for people and for other tools: the page of a family, its queries, and folders of them."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foxhunt import atomic
from foxhunt.backends import Query, get_backend
from foxhunt.errors import HuntError, UnsupportedError, UsageError
from foxhunt.exclusions import Exclusion, scenarios
from foxhunt.indicators import Family, Indicator, IndicatorSet
from foxhunt.reports.rule_page import RulePage, render_page
from foxhunt.reports.text import plural
from foxhunt.rules import MatchMode, Rule, build_rule
from foxhunt.tables import get_table

# MITRE ATT&CK v17 (2025-04): the technique that each threat type of ThreatFox shows.
_TECHNIQUES = {
    "botnet_cc": ("T1071", "Application Layer Protocol"),
    "payload_delivery": ("T1105", "Ingress Tool Transfer"),
    "payload": ("T1204.002", "User Execution: Malicious File"),
    "cc_skimming": ("T1056.003", "Input Capture: Web Portal Capture"),
}
_MEANINGS = {
    "botnet_cc": "command-and-control endpoints: a machine that contacts one is likely infected",
    "payload_delivery": "places the malware is downloaded from: a machine that fetched from one "
    "may be infected",
    "payload": "files of the malware: a machine that holds one is infected or was about to be",
    "cc_skimming": "endpoints that web skimmers send stolen payment data to",
}
_MOST_REFERENCES = 25


def family_rule(indicators: IndicatorSet, name: str, mode: MatchMode) -> Rule:
    """Build the rule of the family called ``name``: printable name, alias or Malpedia label.

    Raises:
        UsageError: No indicator is of it, or it names several families.
    """
    members = indicators.where(families=[name])
    families = members.families()
    if not families:
        raise UsageError(f"no indicator is of the family {name!r}")
    if len(families) > 1:
        labels = ", ".join(family.malware for family in families)
        raise UsageError(f"{name!r} names several families", hint=f"give one label of: {labels}")
    return build_rule(families[0].name, families[0].malware, members, mode)


def queries(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> tuple[Query, ...]:
    """The rule's KQL.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    return tuple(get_backend("kql").compile_rule(rule, exclusions))


def as_kql(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> str:
    """All queries, one blank line between and none inside.

    Raises:
        UnsupportedError: A value cannot be said in KQL, or no table can show an indicator.
    """
    texts = [query.text for query in queries(rule, exclusions)]
    if not texts:
        types = ", ".join(rule.indicators.by_type())
        raise UnsupportedError(
            f"{rule.name} has no indicator that a query of mode {rule.mode} looks for: {types}"
        )
    return "\n\n".join(texts) + "\n"


def as_markdown(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> str:
    """The rule's page in Markdown."""
    return render_page(rule_page(rule, exclusions), "md")


def as_html(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> str:
    """The rule's page as one self-contained HTML file."""
    return render_page(rule_page(rule, exclusions), "html")


def as_json(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> str:
    """The rule as one JSON object, ``foxhunt.rule/1``; values exact."""
    family = _family(rule)
    value = {
        "schema": "foxhunt.rule/1",
        "name": rule.name,
        "malware": rule.malware,
        "aliases": list(family.aliases),
        "mode": str(rule.mode),
        "indicators": [_indicator(one) for one in rule.indicators],
        "searches": [
            {
                "table": search.table,
                "columns": [
                    {
                        "column": part.observable.column,
                        "shows": str(part.observable.shows),
                        "indicator_types": [str(type_) for type_ in part.types],
                    }
                    for part in search.predicate.parts
                ],
            }
            for search in rule.searches
        ],
        "queries": [
            {"language": "kql", "table": q.table, "columns": list(q.columns), "text": q.text}
            for q in queries(rule, exclusions)
        ],
    }
    return json.dumps(value, indent=2, ensure_ascii=True) + "\n"


def _indicator(indicator: Indicator) -> dict[str, Any]:  # JSON values have no narrower type
    last = indicator.last_seen
    return {
        "value": indicator.value,
        "type": str(indicator.type),
        "threat_type": indicator.threat_type,
        "confidence_level": indicator.confidence_level,
        "first_seen": indicator.first_seen.isoformat(),
        "last_seen": last.isoformat() if last else None,
        "source": indicator.source,
        "source_id": indicator.source_id,
        "reference": indicator.reference,
    }


_FORMATS: Mapping[str, Callable[[Rule, Sequence[Exclusion]], str]] = {
    "html": as_html,
    "json": as_json,
    "kql": as_kql,
    "md": as_markdown,
}


def render_rule(rule: Rule, format_name: str, exclusions: Sequence[Exclusion] = ()) -> str:
    """Return the rule as ``md``, ``html``, ``kql`` or ``json``.

    Raises:
        KeyError: Unknown format.
        UnsupportedError: A value of it cannot be said in KQL.
    """
    return _FORMATS[format_name](rule, exclusions)


def rule_page(rule: Rule, exclusions: Sequence[Exclusion] = ()) -> RulePage:
    """What the rule's page says, all of it from the indicators: no day of today, no chance.

    Raises:
        UnsupportedError: A value of it cannot be said in KQL.
    """
    family = _family(rule)
    threats = Counter(one.threat_type for one in rule.indicators)
    return RulePage(
        title=f"ThreatFox: {rule.name} IOCs",
        description=tuple(_description(rule, family, threats)),
        facts=tuple(_facts(rule, family)),
        indicators=tuple(rule.indicators),
        queries=tuple(
            (query.heading, query.table, query.text) for query in queries(rule, exclusions)
        ),
        required_tables=tuple(
            (table.name, table.connector, table.must_deliver)
            for table in (get_table(search.table) for search in rule.searches)
        ),
        scenarios=tuple((one.title, one.description, one.check) for one in scenarios()),
        techniques=tuple(_TECHNIQUES[t] for t in sorted(threats) if t in _TECHNIQUES),
        references=tuple(_references(rule)),
    )


def _family(rule: Rule) -> Family:
    (family,) = rule.indicators.families()
    return family


def _description(rule: Rule, family: Family, threats: Counter[str]) -> Iterator[str]:
    aliases = f", also known as {', '.join(family.aliases)}," if family.aliases else ""
    kinds = ", ".join(f"{count:,} {name}" for name, count in rule.indicators.by_type().items())
    yield (
        f"{rule.name}{aliases} is a malware family that ThreatFox tracks as {rule.malware}. "
        f"This rule looks for its {plural(family.count, 'published indicator')} ({kinds}), "
        f"first seen {_between(family)}."
    )
    for threat, count in sorted(threats.items(), key=lambda item: (-item[1], item[0])):
        yield f"{threat} ({count:,}): {_MEANINGS.get(threat, 'not described by ThreatFox')}."
    if rule.mode is MatchMode.TERM:
        yield (
            "The queries compare as the published pages do (has_any, in): they also find names "
            "that only contain an indicator, and ignore ports. Use them for comparison."
        )
    else:
        yield (
            "A domain matches itself and its subdomains and nothing that only looks like it; an "
            "address counts fully only with its port; the host of a URL alone is a weak sign. "
            "The column Match of each query says which."
        )
    hidden = [
        name for name, n in rule.indicators.by_type().items() if n and not _is_shown(rule, name)
    ]
    if hidden:
        yield f"No table can show its indicators of the types: {', '.join(hidden)}."


def _is_shown(rule: Rule, type_name: str) -> bool:
    return any(type_name in map(str, search.types) for search in rule.searches)


def _between(family: Family) -> str:
    first, last = family.first_seen.date(), family.last_activity.date()
    return f"on {first}" if first == last else f"from {first} on, last active on {last}"


def _facts(rule: Rule, family: Family) -> Iterator[tuple[str, str]]:
    by_type = rule.indicators.by_type()
    yield "Malware Family", rule.name
    yield "Malpedia", rule.malware
    if family.aliases:
        yield "Aliases", ", ".join(family.aliases)
    yield "Total IOCs", f"{family.count:,}"
    yield "IOC Types", ", ".join(by_type)
    yield "First Seen", family.first_seen.date().isoformat()
    yield "Last Active", family.last_activity.date().isoformat()
    yield "Matching", str(rule.mode)


def _references(rule: Rule) -> Iterator[str]:
    yield f"https://malpedia.caad.fkie.fraunhofer.de/details/{rule.malware}"
    yield f"https://threatfox.abuse.ch/browse/malware/{rule.malware}/"
    named = sorted({one.reference for one in rule.indicators if one.reference})
    yield from named[:_MOST_REFERENCES]
    if len(named) > _MOST_REFERENCES:
        yield f"and {len(named) - _MOST_REFERENCES:,} more, in the rule's JSON"


_MANIFEST = ".foxhunt-rules.json"
_INDEX = "index.md"
_FILES = {"rule.md": "md", "rule.html": "html", "rule.json": "json", "rule.kql": "kql"}
_PLAIN_LABEL = re.compile(r"[a-z0-9_]{1,20}(\.[a-z0-9_]{1,60})?")
_SAFE_PATH = re.compile(r"[a-z0-9_.-]{1,100}(/rule\.(md|html|json|kql))?")


@dataclass(frozen=True, slots=True)
class Written:
    """What `write_rules` did: paths below the folder, sorted.

    Attributes:
        written: New, or of other content than before.
        unchanged: How many were left alone.
        removed: Of families that are gone.
        refused: Family and why its rule cannot be emitted.
    """

    written: tuple[str, ...]
    unchanged: int
    removed: tuple[str, ...]
    refused: tuple[tuple[str, HuntError], ...]


def write_rules(rules: Iterable[Rule], out: Path, exclusions: Sequence[Exclusion] = ()) -> Written:
    """Make ``out`` hold one folder a rule; rewrite what changed, remove what is gone.

    Only files that an earlier run made are ever removed; a manifest remembers them. It
    is written before the first file and after the last, so that a run that is killed
    leaves nothing the next one does not know.

    Raises:
        UsageError: ``out`` cannot be written.
    """
    files, refused = _all_files(rules, exclusions)
    old = _read_manifest(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        _write_manifest(out, old | files.keys())
        written = [path for path, text in sorted(files.items()) if _put(out / path, text)]
        removed = sorted(old - files.keys())
        for path in removed:
            _remove(out, path)
        _write_manifest(out, set(files))
    except OSError as error:
        raise UsageError(f"cannot write {error.filename}: {error.strerror}") from error
    return Written(tuple(written), len(files) - len(written), tuple(removed), tuple(refused))


def _all_files(
    rules: Iterable[Rule], exclusions: Sequence[Exclusion]
) -> tuple[dict[str, str], list[tuple[str, HuntError]]]:
    files: dict[str, str] = {}
    refused: list[tuple[str, HuntError]] = []
    lines = ["# Rules", "", "| Family | Label | IOCs | Types |", "|---|---|---|---|"]
    for rule in rules:
        folder = folder_name(rule.malware)
        try:
            made = {
                f"{folder}/{name}": render_rule(rule, kind, exclusions)
                for name, kind in _FILES.items()
            }
        except UnsupportedError as error:
            refused.append((rule.name, error))
            continue
        files |= made
        types = ", ".join(rule.indicators.by_type())
        name = re.sub(r"[^\w .-]", "", rule.name) or folder
        lines.append(
            f"| [{name}]({folder}/rule.md) | `{folder}` | {len(rule.indicators):,} | {types} |"
        )
    files[_INDEX] = "\n".join(lines) + "\n"
    return files, refused


def folder_name(malware: str) -> str:
    """Return a folder's name for a Malpedia label, the label itself if it is a plain one.

    Labels come from the feed: one may hold a path. Whatever is not plain is told apart by
    a hash, so that two labels never share a folder, on any file system.

    >>> folder_name("win.asyncrat")
    'win.asyncrat'
    >>> folder_name("../../etc").startswith("etc-")
    True
    """
    if _PLAIN_LABEL.fullmatch(malware) and malware not in (_INDEX, _MANIFEST):
        return malware
    slug = re.sub(r"[^a-z0-9_]+", "-", malware.casefold()).strip("-")[:40]
    digest = hashlib.sha256(malware.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{slug}-{digest}" if slug else digest


def _put(path: Path, text: str) -> bool:
    """Write ``text`` unless ``path`` holds it already; whether it was written."""
    data = text.encode()
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(exist_ok=True)
    atomic.write(path, text)
    return True


def _remove(out: Path, path: str) -> None:
    (out / path).unlink(missing_ok=True)
    folder = (out / path).parent
    if folder != out and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _read_manifest(out: Path) -> set[str]:
    try:
        listed = json.loads((out / _MANIFEST).read_text("utf-8"))["files"]
    except FileNotFoundError:
        return set()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{out / _MANIFEST} cannot be read: {error}",
            hint="delete it; files of families that are gone then stay",
        ) from error
    # What is listed is removed one day: nothing outside of the folder may be.
    return {path for path in map(str, listed) if _SAFE_PATH.fullmatch(path) and ".." not in path}


def _write_manifest(out: Path, paths: set[str]) -> None:
    text = json.dumps({"files": sorted(paths)}, indent=1) + "\n"
    _put(out / _MANIFEST, text)
