"""A finding's id: the same indicator, table and host give the same id in every run."""

from __future__ import annotations

import hashlib

from foxhunt.indicators import Indicator


def finding_id(indicator: Indicator, table: str, host: str | None) -> str:
    """Return 16 hex digits that identify a finding over runs and machines.

    Hosts are compared whatever their case (R8); "no host" is none of the hosts.
    """
    host_key = "\0" if host is None else host.lower()
    identity = "\x1f".join((indicator.source, indicator.source_id, table, host_key))
    return hashlib.sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:16]
