"""The geometry of the picture of events: hosts are rows, days columns, verdicts colours."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from foxhunt.findings import Verdict
from foxhunt.reports.text import plural, prose

MAX_HOSTS = 60
MAX_COLUMNS = 90

# All lengths are SVG user units, one to a pixel at full size.
_LABEL_WIDTH = 190
_LABEL_CHARACTERS = 26
_GRID_WIDTH = 890
_MAX_COLUMN_WIDTH = 96
_ROW_HEIGHT = 24
_LOW_ROW_HEIGHT = 16  # from `_MANY_HOSTS` on, so that a picture still fits a screen
_MANY_HOSTS = 25
_TOP = 26
_GAP = 2
_NUMBER_WIDTH = 26
_TICK_WIDTH = 66


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Events of one host in one column.

    Attributes:
        x: Left edge.
        y: Top edge.
        width: Its width.
        height: Its height.
        verdict: The most serious of its events.
        others: Left edge, width and verdict of each strip for its further verdicts.
        number: Events, short, or ``""`` where there is no room.
        title: All of it in words.
    """

    x: float
    y: float
    width: float
    height: float
    verdict: Verdict
    others: tuple[tuple[float, float, Verdict], ...]
    number: str
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HostRow:
    """A host, the middle of its row, and its cells."""

    label: str
    title: str
    middle: float
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """A picture ready to draw.

    Attributes:
        width: Of the whole.
        height: Of the whole.
        left: Where the grid begins.
        top: Where the grid begins.
        rows: Most serious host first.
        ticks: Centre and text of each date.
        verdicts: Those that occur, for the legend.
        note: What was put together to keep it readable, ``""`` if nothing was.
    """

    width: float
    height: float
    left: float
    top: float
    rows: tuple[HostRow, ...]
    ticks: tuple[tuple[float, str], ...]
    verdicts: tuple[Verdict, ...]
    note: str


Entry = tuple[str, str, Verdict, int]


@dataclass(frozen=True, slots=True)
class _Grid:
    """First day, days in a column, number of columns; width of a column, height of a row."""

    first: date
    step: int
    columns: int
    width: float
    height: int


def draw(entries: Iterable[Entry]) -> Timeline | None:
    """Lay out ``HuntResult.timeline``; None when it is empty.

    Beyond `MAX_COLUMNS` days a column is several days; beyond `MAX_HOSTS` hosts the least
    serious share the last row. Nothing is left out.
    """
    counts: dict[str, dict[date, Counter[Verdict]]] = defaultdict(lambda: defaultdict(Counter))
    for host, day, verdict, number in entries:
        counts[host][date.fromisoformat(day)][verdict] += number
    if not counts:
        return None
    days = [day for by_day in counts.values() for day in by_day]
    first, length = min(days), (max(days) - min(days)).days + 1
    step = -(-length // MAX_COLUMNS)
    columns = -(-length // step)
    width = min(_MAX_COLUMN_WIDTH, _GRID_WIDTH / columns)
    hosts = _hosts(counts)
    height = _ROW_HEIGHT if len(hosts) < _MANY_HOSTS else _LOW_ROW_HEIGHT
    grid = _Grid(first, step, columns, width, height)
    return Timeline(
        width=_LABEL_WIDTH + columns * width + 8,
        height=_TOP + len(hosts) * height + 4,
        left=_LABEL_WIDTH,
        top=_TOP,
        rows=tuple(_row(at, name, days_of, grid) for at, (name, days_of) in enumerate(hosts)),
        ticks=_ticks(grid),
        verdicts=_verdicts(counts.values()),
        note=_note(len(counts), step),
    )


def _verdicts(hosts: Iterable[Mapping[date, Counter[Verdict]]]) -> tuple[Verdict, ...]:
    found = {verdict for by_day in hosts for counter in by_day.values() for verdict in counter}
    return tuple(verdict for verdict in Verdict if verdict in found)


def _hosts(
    counts: Mapping[str, Mapping[date, Counter[Verdict]]],
) -> list[tuple[str, Mapping[date, Counter[Verdict]]]]:
    def seriousness(host: str) -> tuple[int, int, str]:
        total = _total(counts[host].values())
        return (min(verdict.rank for verdict in total), -total.total(), host)

    order = sorted(counts, key=seriousness)
    shown = order if len(order) <= MAX_HOSTS else order[: MAX_HOSTS - 1]
    rows = [(host or "(no host)", counts[host]) for host in shown]
    rest = order[len(shown) :]
    if rest:
        merged: dict[date, Counter[Verdict]] = defaultdict(Counter)
        for host in rest:
            for day, counter in counts[host].items():
                merged[day].update(counter)
        rows.append((f"{len(rest):,} more hosts", merged))
    return rows


def _total(counters: Iterable[Counter[Verdict]]) -> Counter[Verdict]:
    total: Counter[Verdict] = Counter()
    for counter in counters:
        total.update(counter)
    return total


def _row(at: int, name: str, by_day: Mapping[date, Counter[Verdict]], grid: _Grid) -> HostRow:
    by_column: dict[int, Counter[Verdict]] = defaultdict(Counter)
    for day, counter in by_day.items():
        by_column[(day - grid.first).days // grid.step].update(counter)
    title = prose(name, limit=200)
    top = _TOP + at * grid.height
    cells = []
    for column, counter in sorted(by_column.items()):
        start = grid.first + timedelta(days=column * grid.step)
        until = f" and {plural(grid.step - 1, 'day')} after" if grid.step > 1 else ""
        what = ", ".join(f"{counter[v]:,} {v}" for v in Verdict if counter[v])
        cells.append(_cell(column, top, counter, f"{title}, {start}{until}: {what}", grid))
    label = title if len(title) <= _LABEL_CHARACTERS else f"{title[: _LABEL_CHARACTERS - 1]}…"
    return HostRow(label=label, title=title, middle=top + grid.height / 2, cells=tuple(cells))


def _cell(column: int, top: float, counter: Counter[Verdict], title: str, grid: _Grid) -> Cell:
    present = [verdict for verdict in Verdict if verdict in counter]
    x = _LABEL_WIDTH + column * grid.width + _GAP / 2
    inner = grid.width - _GAP
    part = inner / max(1, len(present) - 1)
    has_room = grid.width >= _NUMBER_WIDTH and grid.height == _ROW_HEIGHT
    return Cell(
        x=round(x, 2),
        y=top + _GAP,
        width=round(inner, 2),
        height=grid.height - 2 * _GAP,
        verdict=present[0],
        others=tuple(
            (round(x + number * part, 2), round(part, 2), verdict)
            for number, verdict in enumerate(present[1:])
        ),
        number=_short(counter.total()) if has_room else "",
        title=title,
    )


def _short(number: int) -> str:
    """A count in at most four characters."""
    for unit, size in (("G", 1_000_000_000), ("M", 1_000_000), ("k", 1_000)):
        if number >= size:
            return f"{number // size}{unit}"
    return str(number)


def _ticks(grid: _Grid) -> tuple[tuple[float, str], ...]:
    every = max(1, -(-_TICK_WIDTH // max(1, int(grid.width))))
    return tuple(
        (
            round(_LABEL_WIDTH + (column + 0.5) * grid.width, 2),
            # The year once: labels must stay narrow, and the titles of cells are complete.
            (grid.first + timedelta(days=column * grid.step)).isoformat()[5 if column else 0 :],
        )
        for column in range(0, grid.columns, every)
    )


def _note(hosts: int, step: int) -> str:
    notes = []
    if step > 1:
        notes.append(f"a column is {plural(step, 'day')}")
    if hosts > MAX_HOSTS:
        notes.append(f"the {MAX_HOSTS - 1} most serious of {hosts:,} hosts have a row of their own")
    return "; ".join(notes)
