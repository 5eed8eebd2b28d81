"""Wheels that have metadata and nothing else."""

import zipfile
from pathlib import Path

_TIME = (2020, 1, 1, 0, 0, 0)
"""Equal wheels have equal bytes."""


def write_stub(folder: Path, name: str, version: str) -> Path:
    """Write a wheel without files and dependencies into a folder, and return its path."""
    stem = f"{name.replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    texts = {
        "METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: crewai-runner\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "RECORD": f"{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
    }
    # The build number tells it from a wheel of the package.
    file = folder / f"{stem}-0stub-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as archive:
        for path, text in texts.items():
            archive.writestr(zipfile.ZipInfo(f"{info}/{path}", _TIME), text)
    return file
