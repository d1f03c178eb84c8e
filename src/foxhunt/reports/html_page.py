"""What every HTML page shares: the template environment, the style, a policy that runs nothing."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def render_page(template: str, **values: Any) -> str:
    """Return ``template`` filled in; every value is escaped.

    Args:
        template: File in the templates folder.
        values: What the template names; jinja looks attributes up, hence no narrower type.
    """
    css = _css()
    safe = Markup(css)  # noqa: S704  # our own file; escaped it would no longer be its digest's
    return _environment().get_template(template).render(css=safe, csp=_policy(css), **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("foxhunt.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


@cache
def _css() -> str:
    # Our own file, and the only text that goes unescaped into a page.
    return resources.files(__package__).joinpath("templates", "page.css").read_text("utf-8")


def _policy(css: str) -> str:
    """A Content-Security-Policy under which only ``css`` has any effect (CSP Level 3, W3C)."""
    digest = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode("ascii")
    return f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
