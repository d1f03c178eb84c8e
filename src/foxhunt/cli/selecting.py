"""Which indicators a command is about: from files or the store, narrowed as asked."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from foxhunt.cli.output import note
from foxhunt.errors import NoIndicatorsError, UsageError

if TYPE_CHECKING:
    from foxhunt.exclusions import FalsePositives, WarningLists
    from foxhunt.feeds.siblings import CsvMapping
    from foxhunt.indicators import Family, IndicatorSet


def load(files: Sequence[str] | None, mapping: str | None = None) -> IndicatorSet:
    """Read the indicators of ``files``, or of the store if none are named.

    Args:
        files: Of feeds.
        mapping: A YAML file that says what the columns of ``files`` are.

    Raises:
        UsageError: A file is not there, or a mapping without files.
        MappingError: The mapping is wrong.
        FeedError: A file cannot be read.
        NoIndicatorsError: No file is named and the store is empty.
        StoreError: The store cannot be read.
    """
    if files:
        from foxhunt.feeds import describe_files, read_indicators

        for name in files:
            if not Path(name).exists():
                raise UsageError(f"no such file: {name}")
        indicators, reports = read_indicators(files, read_mapping_file(mapping))
        if any(report.quarantined or report.notes or report.unknown_columns for report in reports):
            note("\n".join(describe_files(reports)))
        return indicators
    if mapping is not None:
        raise UsageError("--mapping is of files", hint="name them with --indicators")
    from foxhunt.indicators import IndicatorStore, default_home

    return IndicatorStore(default_home()).load()


def false_positives(files: Sequence[Path] | None, *, is_store_used: bool) -> FalsePositives | None:
    """The lists that are named or, with the indicators of the store, the one `sync` keeps.

    Raises:
        UsageError: One is not there, or is none.
    """
    from foxhunt.exclusions import read_fplist
    from foxhunt.exclusions.kept_fplist import kept_fplist
    from foxhunt.indicators import default_home

    if not files and is_store_used:
        kept = kept_fplist(default_home())
        files = [kept] if kept is not None else None
    return read_fplist(files) if files else None


def read_mapping_file(path: str | None) -> CsvMapping | None:
    """What ``--mapping`` names.

    Raises:
        UsageError: It is not there.
        MappingError: It is wrong.
    """
    if path is None:
        return None
    from foxhunt.feeds.siblings import read_mapping

    if not Path(path).exists():
        raise UsageError(f"no such file: {path}")
    return read_mapping(path)


def warning_lists(folder: Path | None) -> WarningLists | None:
    """Read MISP warning lists, and say which of their entries can match nothing.

    Raises:
        UsageError: No such folder, or a file in it is no list.
    """
    if folder is None:
        return None
    from foxhunt.exclusions import load_warninglists

    lists = load_warninglists(folder)
    if lists.unused:
        first = lists.unused[0]
        note(
            f"{len(lists.unused):,} entries of {len(lists.lists)} warning lists can match nothing, "
            f"first {first.at}: {first.entry!r}: {first.reason}"
        )
    return lists


def select(
    files: Sequence[str] | None,
    *,
    mapping: str | None = None,
    families: Sequence[str] | None = None,
    min_confidence: int = 0,
    seen_since: datetime | None = None,
    seen_until: datetime | None = None,
) -> IndicatorSet:
    """Load indicators and keep those that are asked for.

    Raises:
        UsageError: A family that no indicator is of.
        NoIndicatorsError: None is left.
    """
    everything = load(files, mapping)
    check_families(everything, families or ())
    chosen = everything.where(
        families=families or (),
        seen_since=seen_since,
        seen_until=seen_until,
        min_confidence=min_confidence,
    )
    if not len(chosen):
        raise NoIndicatorsError(
            f"none of {len(everything):,} indicators is what was asked for",
            hint="loosen --family, --min-confidence, --day, --since or --until",
        )
    return chosen


def check_families(indicators: IndicatorSet, names: Sequence[str]) -> None:
    """Refuse a family's name that means nothing: a typing error must not read as a clean hunt.

    Raises:
        UsageError: No family has the name, and the hint says which are spelled alike; or it is a
            spelling of several, and the hint names them.
    """
    from foxhunt.indicators import families_named, matches_family

    known = indicators.families() if names else ()
    for name in names:
        found = families_named(known, name)
        if not found:
            raise _no_family(known, name)
        if len(found) > 1 and not any(matches_family(family, name) for family in found):
            meant = ", ".join(f"{family.name} ({family.malware})" for family in found)
            raise UsageError(
                f"{name!r} may be {len(found)} families", hint=f"give the label of one: {meant}"
            )


def _no_family(known: Sequence[Family], name: str) -> UsageError:
    spellings = {
        text.casefold(): text
        for family in known
        for text in (family.malware, family.name, *family.aliases)
    }
    close = difflib.get_close_matches(name.casefold(), spellings, n=3)
    alike = ", ".join(repr(spellings[found]) for found in close)
    return UsageError(
        f"no indicator is of the family {name!r}",
        hint=f"did you mean {alike}?" if close else "`foxhunt families` lists them",
    )
