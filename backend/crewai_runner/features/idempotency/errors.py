from crewai_runner.core.errors import Conflict


class IdempotencyKeyReused(Conflict):
    slug = "idempotency-key-reused"
    title = "Idempotency-Key was used for another request"
