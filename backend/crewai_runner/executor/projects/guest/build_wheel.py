"""Unpacks source code and builds a wheel from it, inside the sandbox: a frontend of PEP 517.

Standard library only, Python 3.10 to 3.13. The working directory has the file `source`, an archive, or the
folder `tree`. With the argument `unpack` the archive becomes the folder `tree`. With the argument `build` the
variable BUILD has the backend's settings as JSON: {"backend": "...", "path": [...], "is_complete": bool}. The
file `result.json` then has {"requires": [...]}, what the build needs besides, unless it `is_complete`, or
{"wheel": "<name of a file in the folder wheels>"}.
"""

import importlib
import json
import os
import sys
import tarfile
import zipfile
from pathlib import Path

WORK = Path.cwd()
SOURCE, TREE, WHEELS, RESULT = WORK / "source", WORK / "tree", WORK / "wheels", WORK / "result.json"


def unpack() -> None:
    """Unpack the archive. The limits of the sandbox are those of its contents."""
    folder = WORK / "unpacked"
    folder.mkdir()
    if zipfile.is_zipfile(SOURCE):
        with zipfile.ZipFile(SOURCE) as packed:
            packed.extractall(folder)  # noqa: S202 - it can write this folder only
    else:
        with tarfile.open(SOURCE) as archive:
            if hasattr(tarfile, "data_filter"):
                archive.extractall(folder, filter="data")
            else:
                archive.extractall(folder)  # noqa: S202
    entries = list(folder.iterdir())
    is_nested = len(entries) == 1 and entries[0].is_dir()
    (entries[0] if is_nested else folder).rename(TREE)


def build() -> None:
    settings = json.loads(os.environ.pop("BUILD"))
    os.chdir(TREE)
    sys.path[:0] = [str(TREE / path) for path in settings["path"]]
    module, _, attributes = settings["backend"].partition(":")
    backend = importlib.import_module(module)
    for name in filter(None, attributes.split(".")):
        backend = getattr(backend, name)
    list_requires = getattr(backend, "get_requires_for_build_wheel", None)
    if list_requires is not None and not settings["is_complete"]:
        requires = list_requires({})
        if requires:
            write_result({"requires": list(requires)})
            return
    WHEELS.mkdir()
    write_result({"wheel": backend.build_wheel(str(WHEELS), {}, None)})


def write_result(result: "dict[str, object]") -> None:
    RESULT.write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    {"unpack": unpack, "build": build}[sys.argv[1]]()
