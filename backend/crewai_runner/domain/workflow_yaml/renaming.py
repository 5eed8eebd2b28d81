"""Gives a document another name."""

import re

from crewai_runner.domain.workflow_yaml.document import parse
from crewai_runner.domain.workflow_yaml.serialisation import dump, to_mapping

_NAME_LINE = re.compile(r"^name:[^\n]*\n", re.MULTILINE)


def rename(text: str, name: str) -> str:
    """Return a valid document with another name.

    The rest of the text is unchanged; comments and layout are lost if the name is not on a line of its own.
    """
    line = dump({"name": name})
    found = _NAME_LINE.search(text)
    renamed = text[: found.start()] + line + text[found.end() :] if found else line + text
    original, parsed = parse(text).definition, parse(renamed).definition
    if original is None:
        return renamed
    expected = original.model_copy(update={"name": name})
    return renamed if parsed == expected else dump(to_mapping(expected))
