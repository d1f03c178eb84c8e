"""Measure foxhunt and its peers in one run: ``python bench/run.py [--scale small]``.

The table goes to standard output, the figures to a JSON file. Commands take turns, so that a
busy minute hits all of them, and the fastest of each command's runs counts. Exit code 1: one
failed, did not find what is there, or at ``--scale smoke`` a ratio blew up.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import report
from cases import HELP, Case, cases, ratios
from measure import Measurement, best, measure
from scales import SCALES, Data

HERE = Path(__file__).parent
RECORDED = HERE / "recorded.json"


def main(arguments: Sequence[str]) -> int:
    """Make the data that is missing, measure, print."""
    options = _options(arguments)
    scale, data = SCALES[options.scale], Data(options.cache)
    # A process of its own: see `measure.measure` on memory.
    command = [sys.executable, str(HERE / "data.py"), scale.name, str(options.cache)]
    subprocess.run(command, check=True)  # noqa: S603 our own command
    wanted = {
        case.id: case
        for case in cases(scale, data)
        if case.id == HELP or _is_wanted(case.id, options.only)
    }
    table, recorded = ratios(scale), json.loads(RECORDED.read_text("utf-8"))
    is_compared = scale.name == "smoke" and not options.record
    measured = _measure_all(wanted, options.rounds, options.timeout)
    if is_compared and report.blow_ups(report.computed(table, wanted, measured), recorded):
        # A busy minute looks the same, and does not last.
        again = _measure_all(wanted, options.rounds, options.timeout)
        measured = {id_: best([measured[id_], again[id_]]) for id_ in wanted}
    print(report.as_markdown(table, wanted, measured))
    found = report.computed(table, wanted, measured)
    result = json.dumps(report.as_json(scale.name, found, measured), indent=1) + "\n"
    out = options.json or data.folder / f"{scale.name}.json"
    out.write_text(result, encoding="utf-8")
    print(f"figures: {out}", file=sys.stderr)
    problems = report.mistakes(wanted, measured)
    if options.record:
        rounded = recorded | {id_: round(value, 2) for id_, value in found.items()}
        RECORDED.write_text(json.dumps(rounded, indent=1) + "\n", encoding="utf-8")
    elif is_compared:
        problems += report.blow_ups(found, recorded)
    for problem in problems:
        print(f"WRONG {problem}", file=sys.stderr)
    return 1 if problems else 0


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure foxhunt and its peers.")
    parser.add_argument("--scale", choices=SCALES, default="small")
    parser.add_argument(
        "--only", action="append", metavar="NAME", help="group or case (dns, peers/polars); again"
    )
    parser.add_argument("--rounds", type=int, default=3, metavar="N", help="runs of each command")
    parser.add_argument(
        "--timeout", type=float, default=900.0, metavar="SECONDS", help="a command's longest run"
    )
    parser.add_argument("--cache", type=Path, default=Path("build/bench"), metavar="DIR")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the figures go")
    parser.add_argument(
        "--record", action="store_true", help=f"keep the ratios in {RECORDED.name}, compare nothing"
    )
    return parser.parse_args(arguments)


def _is_wanted(id_: str, only: Sequence[str] | None) -> bool:
    return only is None or any(id_ == name or id_.startswith(f"{name}/") for name in only)


def _measure_all(
    wanted: Mapping[str, Case], rounds: int, timeout_seconds: float
) -> dict[str, Measurement]:
    runs: dict[str, list[Measurement]] = {id_: [] for id_ in wanted}
    for number in range(rounds):
        for id_, case in wanted.items():
            before = runs[id_]
            if before and (case.is_slow or before[-1].missing or before[-1].error):
                continue
            print(f"round {number + 1} of {rounds}: {id_}", file=sys.stderr, flush=True)
            home = {} if case.home is None else {"FOXHUNT_HOME": str(case.home)}
            before.append(measure(case.command, case.kind, home, timeout_seconds))
    return {id_: best(found) for id_, found in runs.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
