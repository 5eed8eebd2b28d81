"""Reads `.env` files: settings and secrets of a project, in the syntax of python-dotenv."""

import io
import re

from dotenv import dotenv_values

from crewai_runner.core.text import decode_text

MAX_FILE_BYTES = 64 * 1024
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,199}")
_EXAMPLE = re.compile(r"(^|[._-])(examples?|sample|template|dist|defaults?|schema)([._-]|$)", re.IGNORECASE)


def is_environment_file(name: str) -> bool:
    """Return whether a file with this name holds values of variables: `.env`, `.env.local`, `prod.env`."""
    lower = name.lower()
    is_named_so = lower in {".env", ".envrc"} or lower.startswith(".env.") or lower.endswith(".env")
    return is_named_so and not is_environment_example(name)


def is_environment_example(name: str) -> bool:
    """Return whether a file with this name only shows which variables there are: `.env.example`."""
    return "env" in name.lower().split(".") + name.lower().split("_") and _EXAMPLE.search(name) is not None


def parse_environment_file(content: bytes) -> dict[str, str]:
    """Return the variables of a `.env` file that have a value. References to others are not replaced.

    Raises ValueError if the file is too large or not text.
    """
    if len(content) > MAX_FILE_BYTES:
        raise ValueError(f"is larger than {MAX_FILE_BYTES // 1024} KiB")
    values = dotenv_values(stream=io.StringIO(decode_text(content)), interpolate=False)
    return {name: value for name, value in values.items() if value and _NAME.fullmatch(name)}
