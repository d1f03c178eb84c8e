"""The folder of everything foxhunt keeps."""

from __future__ import annotations

import os
from pathlib import Path

from foxhunt.errors import UsageError


def default_home() -> Path:
    """Folder of everything foxhunt keeps: ``FOXHUNT_HOME``, else the platform's data folder.

    Raises:
        UsageError: ``FOXHUNT_HOME`` begins with the ``~`` of a user there is not.
    """
    home = os.environ.get("FOXHUNT_HOME")
    if not home:
        import platformdirs  # not for who says where: a look-up has no time for it

        return Path(platformdirs.user_data_dir("foxhunt"))
    try:
        return Path(home).expanduser()
    except RuntimeError as error:
        raise UsageError(f"FOXHUNT_HOME is {home!r}: {error}") from error
