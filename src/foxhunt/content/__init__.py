"""Content: a rule as the files that other tools deploy.

Each format is a pure function of a `Subject`; the table below is the whole plug-in system.
What a format cannot say exactly is left out of the file and named in it; a rule of which
nothing is left is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Protocol, cast

from foxhunt.content.model import ContentFile, Revoked, Subject

__all__ = [
    "OF_REVOKED",
    "PAGES",
    "Content",
    "ContentFile",
    "Revoked",
    "Subject",
    "content_names",
    "get_content",
]

# What has something to say of a family of which everything was taken back.
OF_REVOKED = ("stix",)
# What `foxhunt rule --all` writes when nothing else is asked for.
PAGES = ("html", "json", "kql", "md")
_CONTENT = {
    "arm-analytics": "arm:analytics",
    "arm-hunting": "arm:hunting",
    "bicep-analytics": "bicep:analytics",
    "bicep-hunting": "bicep:hunting",
    "csv": "indicator_list:files",
    "defender": "defender:files",
    "esql": "sigma_backends:esql",
    "hosts": "names:hosts",
    "html": "pages:html",
    "json": "pages:as_json",
    "kql": "pages:kql",
    "md": "pages:markdown",
    "rpz": "names:rpz",
    "sentinel-analytics": "sentinel_yaml:analytics",
    "sentinel-hunting": "sentinel_yaml:hunting",
    "sigma": "sigma:files",
    "splunk": "sigma_backends:splunk",
    "stix": "stix:files",
    "suricata": "suricata:files",
    "zeek": "zeek_intel:files",
}


class Content(Protocol):
    """What a format is."""

    def __call__(self, subject: Subject) -> Iterator[ContentFile]:
        """Yield the rule's files in this format.

        Must be pure and deterministic: the same subject gives the same bytes.

        Raises:
            UnsupportedError: Nothing of the rule can be said in this format.
        """
        ...


def content_names() -> tuple[str, ...]:
    """Names `get_content` accepts, sorted."""
    return tuple(sorted(_CONTENT))


def get_content(name: str) -> Content:
    """Import the format called ``name``.

    Raises:
        KeyError: Unknown name; the message lists the known ones.
    """
    if name not in _CONTENT:
        raise KeyError(f"unknown format {name!r}; known: {', '.join(content_names())}")
    module, _, function = _CONTENT[name].partition(":")
    # A function of the protocol's shape satisfies it; import_module's type cannot say so.
    return cast(Content, getattr(import_module(f"foxhunt.content.{module}"), function))
