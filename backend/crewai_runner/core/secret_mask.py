"""Masks the secrets that this process knows in text that leaves it.

Secrets have a scope (the process, a workspace or a run) and an owner. A secret is masked while at least one
owner holds it.
"""

import itertools
import json
import threading
from collections.abc import Container, Iterable, Iterator
from functools import cached_property
from urllib.parse import quote

from crewai_runner.core.secret_strength import find_weakness
from crewai_runner.core.unescaped_text import UnescapedText, find_open_escape

MASK = "••••••"
MIN_SECRET_LENGTH = 8
"""Shorter values are not masked: they may be words."""
MIN_LENGTH_IN_DOCUMENTS = 16
"""Documents are searched for secrets of this length; a shorter one may occur by chance."""
PROCESS_SCOPE = ""
Span = tuple[int, int]


class TextMask:
    """Masks a set of secrets, written plainly, JSON-escaped or URL-encoded, at any level of escaping."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._secrets = frozenset(secret for secret in secrets if len(secret) >= MIN_SECRET_LENGTH)

    @cached_property
    def _literals(self) -> list[str]:
        # Longest first: otherwise masking part of a longer secret would leave its rest visible.
        return sorted(
            {text for secret in self._secrets for text in _encodings(secret)}, key=len, reverse=True
        )

    @cached_property
    def _unescaped(self) -> list[str]:
        found = {UnescapedText(literal).text for literal in self._literals}
        return [text for text in found if len(text) >= MIN_SECRET_LENGTH]

    def __call__(self, text: str) -> str:
        """Return the text with every secret replaced; the same object if there is none."""
        if "\\" in text or "%" in text:
            text = _replace(text, self._find_escaped(text))
        for literal in self._literals:
            if literal in text:
                text = text.replace(literal, MASK)
        return text

    @cached_property
    def certain(self) -> "TextMask":
        """A mask of those secrets only that cannot be a name or a word of the text."""
        certain = {secret for secret in self._secrets if find_weakness(secret) is None}
        return self if len(certain) == len(self._secrets) else TextMask(certain)

    def contains_secret(self, document: str) -> bool:
        """Return whether a document contains a secret that cannot be a part of it by chance."""
        return self.certain.contains(document, MIN_LENGTH_IN_DOCUMENTS)

    def contains(self, text: str, min_length: int) -> bool:
        return any(len(literal) >= min_length and literal in text for literal in self._literals)

    def in_document(self, text: str) -> str:
        """Return a document with every secret replaced that cannot be a part of its syntax."""
        return self.certain(text) if self.contains_secret(text) else text

    def safe_length(self, text: str) -> int:
        """Return how much of a growing text can be masked and shown.

        The rest is the longest suffix that may become a secret, and a complete secret that overlaps it.
        """
        escape = find_open_escape(text)
        unescaped = UnescapedText(text[:escape])
        begun = max((_overlap(unescaped.text, secret) for secret in self._unescaped), default=0)
        safe = unescaped.original_start(len(unescaped.text) - begun) if begun else escape
        if not self._unescaped or safe == len(text):
            return len(text)
        for start, end in sorted(self._find_escaped(text), reverse=True):
            if start < safe < end:
                safe = start
        return safe

    def _find_escaped(self, text: str) -> list[Span]:
        unescaped = UnescapedText(text)
        return [span for secret in self._unescaped for span in unescaped.find(secret)]


class StreamMask:
    """Masks a text that arrives in pieces: holds back the end while it may be the start of a secret."""

    def __init__(self, mask: TextMask) -> None:
        self._mask, self._held = mask, ""

    def feed(self, text: str) -> str:
        """Add a piece; return the masked text that can be shown now."""
        text = self._held + text
        safe = self._mask.safe_length(text)
        self._held = text[safe:]
        return self._mask(text[:safe])

    def flush(self) -> str:
        """Return the rest: the text has ended."""
        text, self._held = self._held, ""
        return self._mask(text)


class SecretMask:
    """The secrets of the process by scope and owner. Thread-safe. Called, it masks all of them (logs)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._owned: dict[tuple[str, str], frozenset[str]] = {}
        self._masks: dict[tuple[str, ...] | None, TextMask] = {}

    def __call__(self, text: str) -> str:
        return self._mask_of(None)(text)

    def add(self, secret: str) -> None:
        """Mask a secret of the process from now on."""
        self.hold(PROCESS_SCOPE, secret, [secret])

    def hold(self, scope: str, owner: str, secrets: Iterable[str]) -> None:
        """Mask the secrets of an owner, such as a provider, in a scope. Replaces those it had before."""
        with self._lock:
            self._owned[scope, owner] = frozenset(secrets)
            self._masks = {}

    def release(self, scope: str, owner: str) -> None:
        """Forget an owner's secrets, unless another owner holds them too."""
        with self._lock:
            self._owned.pop((scope, owner), None)
            self._masks = {}

    def retain(self, prefix: str, owners: Container[str]) -> None:
        """Forget the secrets of every owner whose name starts with `prefix` and is not among `owners`."""
        with self._lock:
            gone = [key for key in self._owned if key[1].startswith(prefix) and key[1] not in owners]
            for key in gone:
                del self._owned[key]
            self._masks = {}

    def scoped(self, *scopes: str) -> TextMask:
        """Return a mask for the process's secrets and those of the scopes: a workspace, a run."""
        return self._mask_of(scopes)

    def _mask_of(self, scopes: tuple[str, ...] | None) -> TextMask:
        """Return the mask for the process and these scopes; None means every scope."""
        mask = self._masks.get(scopes)
        if mask is None:
            with self._lock:
                held = [
                    secrets
                    for (scope, _), secrets in self._owned.items()
                    if scopes is None or scope in (PROCESS_SCOPE, *scopes)
                ]
                mask = self._masks[scopes] = TextMask(itertools.chain.from_iterable(held))
        return mask


def _encodings(secret: str) -> set[str]:
    """Return a secret as plain text, JSON-escaped and URL-encoded."""
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    return {secret, quote(secret, safe=""), quote(secret)} | in_json


def _overlap(text: str, secret: str) -> int:
    """Return the length of the longest end of the text that is a beginning of the secret, not all of it."""
    lengths = range(min(len(text), len(secret) - 1), 0, -1)
    return next((length for length in lengths if text.endswith(secret[:length])), 0)


def _replace(text: str, spans: Iterable[Span]) -> str:
    pieces, end = [], 0
    for start, stop in _merge(spans):
        pieces += [text[end:start], MASK]
        end = stop
    return "".join([*pieces, text[end:]]) if pieces else text


def _merge(spans: Iterable[Span]) -> Iterator[Span]:
    """Yield the spans in order, overlapping ones as one."""
    current: Span | None = None
    for span in sorted(spans):
        if current is None or span[0] >= current[1]:
            if current is not None:
                yield current
            current = span
        else:
            current = (current[0], max(current[1], span[1]))
    if current is not None:
        yield current
