"""Errors of idempotent requests."""

from crewai_runner.core.errors import Conflict


class IdempotencyKeyReused(Conflict):
    slug = "idempotency-key-reused"
    title = "Idempotency-Key already used for another request"
