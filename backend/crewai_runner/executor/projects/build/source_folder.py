"""Writes the files of a project to a folder."""

from collections.abc import Mapping
from pathlib import Path


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files by path into an empty folder of this user. Blocks; raises OSError.

    The paths are those of a checked archive. No existing file is overwritten and no link is followed.
    """
    for path, content in files.items():
        target = folder / path
        if not target.resolve().is_relative_to(folder.resolve()):
            raise OSError(f"{path!r} is outside the folder.")
        target.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
        with target.open("xb") as file:
            file.write(content)
        target.chmod(0o644)
