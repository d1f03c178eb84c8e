"""The example, made once a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from .example_logs import make_example


@pytest.fixture(scope="session")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the example's logs."""
    out = tmp_path_factory.mktemp("example")
    make_example(out)
    return out
