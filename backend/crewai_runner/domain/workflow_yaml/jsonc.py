"""JSON with comments and trailing commas, as CrewAI's JSON projects have it."""

import json
import re
from typing import Any

_TEXT = r'"(?:\\.|[^"\\])*+"'
_COMMENT = re.compile(rf"({_TEXT})|//[^\r\n]*|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING = re.compile(rf"({_TEXT})|,(?=\s*[}}\]])", re.DOTALL)


class NotJson(ValueError):
    """Text that is not JSON with comments."""


def read_jsonc(text: str) -> Any:
    """The value of a JSON text with comments. Raises NotJson."""
    without_comments = _COMMENT.sub(lambda match: match[1] or " ", text)
    try:
        return json.loads(_TRAILING.sub(lambda match: match[1] or "", without_comments))
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error) or "nested too deeply") from None
