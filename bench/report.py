"""The figures as one table and as JSON, and their comparison with the recorded ones."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from cases import HELP, Case, Ratio
from measure import Kind, Measurement

# A busy machine doubles a ratio now and then; a lost index or a second pass does more.
BLOW_UP = 3.0

Measured = Mapping[str, Measurement]


def net_seconds(case: Case, measured: Measured) -> float:
    """The time that counts: of foxhunt without what its ``--help`` takes."""
    seconds = measured[case.id].seconds
    start = measured[HELP].seconds if case.kind in (Kind.HUNT, Kind.ROWS) else 0.0
    return max(seconds - start, 0.001)


def computed(
    ratios: Sequence[Ratio], cases: Mapping[str, Case], measured: Measured
) -> dict[str, float]:
    """Each ratio whose both sides have a figure, by ``of : to``."""
    return {
        name(ratio): net_seconds(cases[ratio.of], measured) / net_seconds(cases[ratio.to], measured)
        for ratio in ratios
        if _is_figure(measured.get(ratio.of)) and _is_figure(measured.get(ratio.to))
    }


def name(ratio: Ratio) -> str:
    """What results call a ratio."""
    return f"{ratio.of} : {ratio.to}"


def _is_figure(measurement: Measurement | None) -> bool:
    return measurement is not None and not measurement.missing and not measurement.error


def as_markdown(ratios: Sequence[Ratio], cases: Mapping[str, Case], measured: Measured) -> str:
    """The table; what could not be measured says why."""
    found = computed(ratios, cases, measured)
    lines = [
        "| what | seconds | against | seconds | ratio | target | peak MB | found |",
        "|---|---:|---|---:|---:|---:|---:|---:|",
    ]
    for ratio in ratios:
        if ratio.of not in measured or ratio.to not in measured:
            continue
        of, to = cases[ratio.of], cases[ratio.to]
        one, other = measured[ratio.of], measured[ratio.to]
        target = "" if ratio.target is None else f"{ratio.target:g}"
        lines.append(
            f"| {of.title} | {_time(of, one, measured)} | {to.title} | "
            f"{_time(to, other, measured)} | {_number(found.get(name(ratio)))} | {target} | "
            f"{one.peak_mb:,.0f} | {'' if one.found is None else f'{one.found:,}'} |"
        )
    return "\n".join(lines) + "\n"


def _time(case: Case, one: Measurement, measured: Measured) -> str:
    if one.missing:
        return f"{one.missing} is not installed"
    return one.error or f"{net_seconds(case, measured):.2f}"


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def mistakes(cases: Mapping[str, Case], measured: Measured) -> list[str]:
    """What makes the run worthless: a command that failed, or did not find what is there."""
    told = []
    for id_, one in measured.items():
        expected = cases[id_].expected
        if one.error:
            told.append(f"{id_}: {one.error}")
        elif not one.missing and expected is not None and one.found != expected:
            told.append(f"{id_}: found {one.found}, there are {expected}")
    return told


def blow_ups(found: Mapping[str, float], recorded: Mapping[str, float]) -> list[str]:
    """Ratios that are more than `BLOW_UP` times the recorded ones."""
    return [
        f"{id_}: {found[id_]:.2f}, recorded {was:.2f}"
        for id_, was in recorded.items()
        if id_ in found and found[id_] > BLOW_UP * was
    ]


def as_json(scale: str, found: Mapping[str, float], measured: Measured) -> dict[str, object]:
    """Everything, for machines."""
    return {
        "schema": "foxhunt.bench/1",
        "scale": scale,
        "machine": machine(),
        "ratios": {id_: round(value, 3) for id_, value in found.items()},
        "measurements": {id_: asdict(one) for id_, one in measured.items()},
    }


def machine() -> dict[str, object]:
    """What the figures depend on besides the code."""
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "memory": _first("/proc/meminfo", "MemTotal"),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _first(path: str, key: str) -> str | None:
    if not Path(path).exists():
        return None
    lines = Path(path).read_text("utf-8").splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)
