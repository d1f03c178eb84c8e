"""How much the benchmark measures, and where its data is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

# Part of the data's path: raised with every change of what is generated.
VERSION = "v1"
PLANTED_EVENTS = 1_000
PLANTED_INDICATORS = 50
FOXHUNT = (sys.executable, "-c", "from foxhunt.cli import main; main()")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Sizes of one run; rows are multiples of `PLANTED_EVENTS`.

    Attributes:
        name: What ``--scale`` calls it.
        dns_rows: Rows of the DNS log.
        big_rows: Rows of the one that shows how cost grows; four times as many.
        rows: Rows of the network, URL and hash logs, each.
        text_rows: Rows of the text logs.
        feeds: Numbers of indicators, ascending; the last one is used everywhere else.
        matching_rows: Rows that all match, for exclusions.
    """

    name: str
    dns_rows: int
    big_rows: int
    rows: int
    text_rows: int
    feeds: tuple[int, ...]
    matching_rows: int


SCALES = {
    scale.name: scale
    for scale in (
        Scale(
            name="smoke",
            dns_rows=1_000_000,
            big_rows=4_000_000,
            rows=1_000_000,
            text_rows=200_000,
            feeds=(1_000, 100_000),
            matching_rows=100_000,
        ),
        Scale(
            name="small",
            dns_rows=2_000_000,
            big_rows=8_000_000,
            rows=1_000_000,
            text_rows=500_000,
            feeds=(1_000, 100_000, 1_000_000),
            matching_rows=1_000_000,
        ),
        Scale(
            name="full",
            dns_rows=20_000_000,
            big_rows=80_000_000,
            rows=10_000_000,
            text_rows=20_000_000,
            feeds=(1_000, 100_000, 1_000_000),
            matching_rows=1_000_000,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Data:
    """Paths of generated data; every name says its size, so that scales share what they can.

    Attributes:
        root: The cache folder, without the version.
    """

    root: Path

    @property
    def folder(self) -> Path:
        """Where everything is."""
        return self.root / VERSION

    def log(self, kind: str, rows: int) -> Path:
        """A log: ``dns``, ``network``, ``url``, ``hash`` or ``matching``."""
        return self.folder / f"{kind}-{rows}.parquet"

    def text(self, form: str, rows: int) -> Path:
        """The DNS log as text: ``csv``, ``ndjson`` or ``log`` (Zeek TSV)."""
        return self.folder / f"dns-{rows}.{form}"

    def converted(self, rows: int) -> Path:
        """The DNS log through ``foxhunt convert``: a folder a day."""
        return self.folder / f"dns-{rows}-days"

    def feed(self, kind: str, count: int) -> Path:
        """Indicators as ThreatFox's CSV export; ``domain``, ``clean``, ``ip``, ``url``, ``hash``.

        ``clean`` are domains of which the logs hold none.
        """
        return self.folder / f"{kind}-{count}.csv"

    def values(self, kind: str, count: int) -> Path:
        """The feed's values alone, as Parquet with the column ``value``."""
        return self.folder / f"{kind}-{count}.values.parquet"

    def patterns(self, kind: str, count: int) -> Path:
        """The feed's values alone, one a line."""
        return self.folder / f"{kind}-{count}.txt"

    def page(self, count: int) -> Path:
        """The query of a published page with so many domains."""
        return self.folder / f"page-{count}.kql"

    def store(self, kind: str, count: int) -> Path:
        """A FOXHUNT_HOME into which the feed was synced."""
        return self.folder / f"{kind}-{count}.store"

    def exclusions(self) -> Path:
        """A thousand exclusions."""
        return self.folder / "exclusions-1000.yaml"
