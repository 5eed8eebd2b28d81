"""Adds the member `service_tier` to chat completions of servers that leave it out.

OpenAI and Groq send it with every answer, and LiteLLM fails for models of Groq when it is absent.
"""

MEMBER = b'"service_tier"'
DEFAULT = b'"default"'
"""OpenAI's name of ordinary processing."""
_SPACE = b" \t\r\n"
_CHAT = b'"chat.completion"'
"""The value of `object` in an answer; errors and anything else stay as they are."""
_MAX_KEPT = 4096
"""Of a closing brace and space after it; more is passed on."""


class ServiceTierFilter:
    """Inserts the member at the end of a JSON object that is not streamed as events. Changes no other byte.

    Within a JSON string a quote is escaped, so that the text of an answer is not taken for the member.
    """

    def __init__(self) -> None:
        self._kept = b""
        self._overlap = b""
        self._is_absent, self._is_chat = True, False
        self._is_object = False
        self._has_begun = False

    def feed(self, data: bytes) -> bytes:
        """Return what can be passed on: everything before the last closing brace so far."""
        searched = self._overlap + data
        self._is_absent = self._is_absent and MEMBER not in searched
        self._is_chat = self._is_chat or _CHAT in searched
        self._overlap = searched[-len(_CHAT) :]
        self._read_beginning(data)
        data = self._kept + data
        end = len(data.rstrip(_SPACE))
        start = end - 1 if data[:end].endswith(b"}") else end
        if len(data) - start > _MAX_KEPT:
            start = len(data)
        self._kept = data[start:]
        return data[:start]

    def finish(self) -> bytes:
        """Return the rest, with the member if the answer is a chat completion without it."""
        rest, self._kept = self._kept, b""
        is_incomplete = self._is_object and self._is_chat and self._is_absent
        if not (is_incomplete and rest.startswith(b"}")):
            return rest
        return b", " + MEMBER + b": " + DEFAULT + rest

    def _read_beginning(self, data: bytes) -> None:
        data = data.lstrip(_SPACE)
        if data and not self._has_begun:
            self._has_begun, self._is_object = True, data.startswith(b"{")
