"""A place for servers that may run under another account than the tests."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A new folder that every user may enter; pytest's own are closed to all but their maker."""
    path = Path(tempfile.mkdtemp(prefix="flowlet-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)
