"""Make what is missing of the benchmark's data: ``python bench/data.py SCALE CACHE``.

A process of its own, so that its memory does not count as that of what is measured after it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import feed_data
import log_data
from scales import FOXHUNT, SCALES, Data, Scale

Step = tuple[Path, Callable[[Path], None]]
TEXT_FORMS = ("csv", "ndjson", "log")


def steps(scale: Scale, data: Data) -> Iterator[Step]:
    """Each path, and what writes it; in an order in which each finds what it needs."""
    logs = [("dns", rows) for rows in (scale.text_rows, scale.dns_rows, scale.big_rows)]
    logs += [(kind, scale.rows) for kind in ("network", "url", "hash")]
    for kind, rows in (*logs, ("matching", scale.matching_rows)):
        yield data.log(kind, rows), partial(log_data.write_log, kind, rows)
    source = data.log("dns", scale.text_rows)
    for form in TEXT_FORMS:
        yield data.text(form, scale.text_rows), partial(log_data.write_text, form, source)
    few, most = scale.feeds[0], scale.feeds[-1]
    wanted = [("domain", count) for count in scale.feeds]
    for kind, count in (*wanted, *((kind, most) for kind in ("clean", "ip", "url", "hash"))):
        feed = data.feed(kind, count)
        yield feed, partial(feed_data.write_feed, kind, count)
        yield data.values(kind, count), partial(feed_data.write_values, kind, count)
        yield data.store(kind, count), partial(_sync, feed)
    yield data.patterns("domain", few), partial(feed_data.write_patterns, "domain", few)
    yield data.page(1_000), partial(feed_data.write_page, 1_000)
    yield data.exclusions(), feed_data.write_exclusions
    rows = scale.dns_rows
    yield data.converted(rows), partial(_convert, data.log("dns", rows))


def _sync(feed: Path, home: Path) -> None:
    _foxhunt("sync", "--file", str(feed), home=home)


def _convert(log: Path, out: Path) -> None:
    _foxhunt("convert", str(log), "--out", str(out))


def _foxhunt(*arguments: str, home: Path | None = None) -> None:
    environment = dict(os.environ) if home is None else os.environ | {"FOXHUNT_HOME": str(home)}
    command = [*FOXHUNT, *arguments]
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)  # noqa: S603 our own command


def make(scale: Scale, data: Data) -> None:
    """Make what is missing; what is there was made whole."""
    data.folder.mkdir(parents=True, exist_ok=True)
    for path, write in steps(scale, data):
        if path.exists():
            continue
        print(f"making {path.name}", file=sys.stderr, flush=True)
        half = path.with_name(f".half-{path.name}")
        if half.is_dir():
            shutil.rmtree(half)
        write(half)
        half.rename(path)


if __name__ == "__main__":
    make(SCALES[sys.argv[1]], Data(Path(sys.argv[2])))
