"""How Splunk names what Sigma names; needs pySigma and its backend for Splunk.

The pipelines that the backend ships know no category of Sysmon but by its service, and of CIM
proxies alone, as accelerated data models. So this one says which events are meant itself: by
Sysmon's number, or by the tag of a data model of the CIM (Network Resolution, Network Traffic,
Web).
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING

from sigma.backends.splunk.splunk import SplunkBackend
from sigma.processing.conditions import LogsourceCondition
from sigma.processing.pipeline import ProcessingItem, ProcessingPipeline
from sigma.processing.transformations import (
    AddConditionTransformation,
    FieldMappingTransformation,
)

from foxhunt.content.sigma_skeleton import Dialect

if TYPE_CHECKING:
    from sigma.conversion.base import Backend

# The add-on for Sysmon names its source by how events are rendered.
_SYSMON = [
    "WinEventLog:Microsoft-Windows-Sysmon/Operational",
    "XmlWinEventLog:Microsoft-Windows-Sysmon/Operational",
]
# SigmaHQ, sigma-appendix-taxonomy 2.1.0, 2025-08-02.
_EVENTS = {
    "process_creation": 1,
    "network_connection": 3,
    "image_load": 7,
    "create_stream_hash": 15,
    "dns_query": 22,
    "file_executable_detected": 29,
}
_TAGS = {"dns": "dns", "firewall": "communicate", "proxy": "web"}
_FIELDS: dict[str | None, str | list[str]] = {
    "dst_ip": "dest_ip",
    "dst_port": "dest_port",
    "c-uri": "url",
    "cs-host": ["url_domain", "dest"],
}


def backend() -> Backend:
    """The backend, with names that Splunk's add-ons give."""
    items = [
        ProcessingItem(
            AddConditionTransformation({"source": _SYSMON, "EventCode": number}, name="_event"),
            rule_conditions=[LogsourceCondition(category=category, product="windows")],
        )
        for category, number in _EVENTS.items()
    ]
    items += [
        ProcessingItem(
            AddConditionTransformation({"tag": tag}, name="_event"),
            rule_conditions=[LogsourceCondition(category=category)],
        )
        for category, tag in _TAGS.items()
    ]
    items.append(ProcessingItem(FieldMappingTransformation(_FIELDS)))
    return SplunkBackend(ProcessingPipeline(items=items))


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"'})


@lru_cache(maxsize=50_000)  # the same in the queries of several log sources
def literal(text: str) -> str:
    """A text within quotes, as the backend writes one without an asterisk."""
    # Most have none of them, and to look is faster than to translate.
    return text.translate(_ESCAPES) if "\\" in text or '"' in text else text


@cache  # what it converted is kept
def dialect() -> Dialect:
    """SPL, of any number of values."""
    return Dialect(backend=backend(), literal=literal, alternative=" OR ", chained=" OR ".join)
