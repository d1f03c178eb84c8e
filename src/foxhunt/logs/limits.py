"""How much memory DuckDB may take, so that a limit ends a file with an error and not the hunt."""

from __future__ import annotations

import os
import sys
from pathlib import Path

# Of what is free below a limit on addresses: threads' stacks, allocators and Python take the rest.
_SHARE_OF_ADDRESSES = 0.4
# Of a control group's memory: Python and Arrow take some beside DuckDB.
_SHARE_OF_GROUP = 0.6
# As DuckDB by default: a limit may be above what the machine has.
_SHARE_OF_MACHINE = 0.8
_LEAST_BYTES = 64 << 20
_UNLIMITED = 1 << 60
# Control groups, version 2 and 1, as a process in a container sees them (cgroups(7), 2024).
_GROUPS = Path("/proc/self/cgroup")
_MOUNT = Path("/sys/fs/cgroup")


def memory_limit_bytes() -> int | None:
    """What DuckDB may take where the process is limited, or None where it is not.

    DuckDB's own default, 80 % of the machine's memory, knows of no ``ulimit -v``.
    """
    told = [limit for limit in (_address_share(), _group_share()) if limit is not None]
    if not told:
        return None
    return max(min([*told, *_machine_share()]), _LEAST_BYTES)


def _machine_share() -> list[int]:
    """What DuckDB takes by default, where the system tells how much memory the machine has."""
    try:
        machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return []
    return [int(machine * _SHARE_OF_MACHINE)]


def _address_share() -> int | None:
    if sys.platform == "win32":
        return None
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY:
        return None
    return int((limit - _addresses_bytes()) * _SHARE_OF_ADDRESSES)


def _addresses_bytes() -> int:
    """How much of the addresses the process has taken; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[0])
    except (OSError, ValueError):
        return 0
    import resource

    return pages * resource.getpagesize()


def _group_share(groups: Path = _GROUPS, mount: Path = _MOUNT) -> int | None:
    """The share of the tightest limit of the process's control groups, or None without one."""
    limits = [limit for file in _limit_files(groups, mount) if (limit := _limit_in(file))]
    return int(min(limits) * _SHARE_OF_GROUP) if limits else None


def _limit_files(groups: Path, mount: Path) -> list[Path]:
    """Where limits stand: of each group that the process is in, and of those above it."""
    try:
        lines = groups.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    files: list[Path] = []
    for line in lines:
        # "0::/user.slice" (version 2), "9:memory:/docker/1f" (version 1).
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "memory" not in controllers.split(","):
            continue
        top = mount / "memory" if controllers else mount
        name = "memory.limit_in_bytes" if controllers else "memory.max"
        own = top / path.lstrip("/")
        files += [folder / name for folder in (own, *own.parents) if folder.is_relative_to(top)]
    return files


def _limit_in(file: Path) -> int | None:
    try:
        limit = int(file.read_text("ascii"))
    except (OSError, ValueError):  # absent, or "max"
        return None
    # Version 1 says "no limit" as a number near 2**63.
    return limit if limit < _UNLIMITED else None
