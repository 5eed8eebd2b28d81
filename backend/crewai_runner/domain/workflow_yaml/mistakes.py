"""Wrong values, in words that say what would be right."""

from enum import Enum
from typing import Final

from crewai_runner.domain.workflow_yaml.nodes import Broken, Node, Scalar, Table, kind_of
from crewai_runner.domain.workflow_yaml.problems import Place, Problems, shown


class Bad(Enum):
    """The value of what was reported as a problem."""

    BAD = "bad"


BAD: Final = Bad.BAD

_CODE = "names code to run, which a document may not do"
_ADDRESS = "belongs in the settings, where providers and models are registered under a name"
_FILE = "makes the server read or write a file, which a document may not do"
_UNSAFE_MEMBERS = {
    **dict.fromkeys(
        ("python", "tool_type", "command", "args", "module", "class", "callable", "function", "ref"), _CODE
    ),
    **dict.fromkeys(
        ("provider", "config", "url", "headers", "env", "api_key", "base_url", "api_base"), _ADDRESS
    ),
    **dict.fromkeys(("path", "file", "file_path", "file_paths", "filename"), _FILE),
}


def wrong_type(node: Node, place: Place, problems: Problems, wanted: str) -> Bad:
    """Report that something else is wanted here; code where data belongs gets its own words."""
    if isinstance(node, Scalar) and isinstance(node.value, Broken):
        return BAD
    for entry in node.entries if isinstance(node, Table) else []:
        if entry.key in _UNSAFE_MEMBERS:
            message = f"`{entry.key}:` {_UNSAFE_MEMBERS[entry.key]}. `{last(place)}` is {wanted}."
            problems.error(place.to(entry.key, entry.index), "unsafe-key", message)
            return BAD
    problems.error(place, "wrong-type", _wrong_type_message(node, place, wanted))
    return BAD


def _wrong_type_message(node: Node, place: Place, wanted: str) -> str:
    message = f"`{last(place)}` should be {wanted}, but this is {kind_of(node)}."
    if not isinstance(node, Scalar) or node.value is None:
        return message
    if wanted == "text":
        return f'{message} Put it in quotes: "{shown(node.text)}".'
    if wanted.startswith("a list"):
        return f"{message} Write `[{shown(node.text)}]`."
    return f"{message} Remove the quotes." if _only_quoted(node) else message


def _only_quoted(node: Scalar) -> bool:
    return not node.plain and node.text.replace(".", "", 1).isdigit()


def last(place: Place) -> str:
    """The name of what stands at a place."""
    return place.path.rsplit(".", 1)[-1]
