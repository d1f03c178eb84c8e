"""Which formats there are. The order is that of asking: the first that recognises a file reads it.

To add one, write a module with the two functions of `foxhunt.logs.model.Format` and name
it here; what looks like several formats belongs to the more special one, so put that first.
"""

from __future__ import annotations

from importlib import import_module
from typing import cast

from foxhunt.logs.ahead import Preparing
from foxhunt.logs.model import Format, LogFile, OnePass

_FORMATS = {
    "evtx": "foxhunt.logs.evtx",
    "export_parquet": "foxhunt.logs.export_parquet",
    "zeek_tsv": "foxhunt.logs.zeek_tsv",
    "zeek_json": "foxhunt.logs.zeek_json",
    "suricata": "foxhunt.logs.suricata",
    "sysmon_json": "foxhunt.logs.sysmon_json",
    "export_json": "foxhunt.logs.export_json",
    "export_csv": "foxhunt.logs.export_csv",
}

_ONE_PASS = frozenset({"zeek_tsv", "zeek_json", "export_json", "export_csv"})

_PREPARING = frozenset({"evtx"})


def format_names() -> tuple[str, ...]:
    """The formats, in the order of asking."""
    return tuple(_FORMATS)


def get_format(name: str) -> Format:
    """Import the format called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _FORMATS:
        raise KeyError(f"unknown format {name!r}; known: {', '.join(_FORMATS)}")
    # A module with the protocol's functions satisfies it; import_module's type cannot say so.
    return cast(Format, import_module(_FORMATS[name]))


def get_one_pass(name: str) -> OnePass | None:
    """The format called ``name`` if it can copy a regular file in one pass."""
    return cast(OnePass, import_module(_FORMATS[name])) if name in _ONE_PASS else None


def get_preparing(name: str) -> Preparing | None:
    """The format called ``name`` if its files are read ahead."""
    return cast(Preparing, import_module(_FORMATS[name])) if name in _PREPARING else None


def preparing_of(file: LogFile) -> Preparing | None:
    """The format of ``file`` if such files are read ahead.

    Only formats up to the last of those are asked: to recognise other files takes longer.
    """
    left = set(_PREPARING)
    for name in _FORMATS:
        if not left:
            break
        left.discard(name)
        if get_format(name).recognises(file):
            return get_preparing(name)
    return None


def recognise(file: LogFile) -> str | None:
    """Name of the first format that ``file`` is of, by its content, or None."""
    return next((name for name in _FORMATS if get_format(name).recognises(file)), None)
