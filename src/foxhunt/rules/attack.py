"""What a threat type of ThreatFox is in MITRE ATT&CK v17 (2025-04)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique, and every tactic it belongs to: deployers refuse one without the other.

    Attributes:
        id: Such as ``T1071`` or ``T1204.002``.
        name: Its title.
        tactics: Their names without spaces, as Sentinel spells them.
    """

    id: str
    name: str
    tactics: tuple[str, ...]


_TECHNIQUES = {
    "botnet_cc": Technique("T1071", "Application Layer Protocol", ("CommandAndControl",)),
    "payload_delivery": Technique("T1105", "Ingress Tool Transfer", ("CommandAndControl",)),
    "payload": Technique("T1204.002", "User Execution: Malicious File", ("Execution",)),
    "cc_skimming": Technique(
        "T1056.003",
        "Input Capture: Web Portal Capture",
        ("Collection", "CredentialAccess"),
    ),
}


def techniques(threat_types: Iterable[str]) -> tuple[Technique, ...]:
    """The techniques of threat types, each once, in the order of the types' names."""
    found = (_TECHNIQUES[name] for name in sorted(set(threat_types)) if name in _TECHNIQUES)
    return tuple(dict.fromkeys(found))
