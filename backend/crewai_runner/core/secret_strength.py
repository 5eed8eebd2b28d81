"""Tells keys from words: a word cannot be masked without damage to every text that contains it."""

import re

MIN_KEY_LENGTH = 8
MIN_DIGITS_ONLY = 16
MIN_WORDS_ONLY = 28
MIN_RANDOM_LETTERS = 12
MIN_DIFFERENT_CHARACTERS = 5
_LETTERS = re.compile("[A-Za-z]+")
_JSON = re.compile(r"""["\]}][:,]|[:,{\[]["{\[]""")


def find_weakness(key: str) -> str | None:
    """Return why a value cannot be a key, as a clause after "the key"; None for a possible key."""
    letters = _LETTERS.findall(key)
    has_digit = any(character.isdigit() for character in key)
    has_random_letters = max(map(len, letters), default=0) >= MIN_RANDOM_LETTERS
    weaknesses = {
        f"is too short: keys have at least {MIN_KEY_LENGTH} characters": len(key) < MIN_KEY_LENGTH,
        "repeats the same few characters": len(set(key)) < MIN_DIFFERENT_CHARACTERS,
        "is a URL": "://" in key,
        "looks like a piece of JSON": _JSON.search(key) is not None,
        "looks like a number": not letters and len(key) < MIN_DIGITS_ONLY,
        "looks like a word": not has_digit and not has_random_letters and len(key) < MIN_WORDS_ONLY,
    }
    return next((reason for reason, applies in weaknesses.items() if applies), None)
