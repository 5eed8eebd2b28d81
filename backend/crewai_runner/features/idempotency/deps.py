"""The `Idempotency-Key` header of endpoints that can be repeated safely."""

from typing import Annotated

from fastapi import Header

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="Repeating the same key and body within 24 hours returns the first response.",
    ),
]
