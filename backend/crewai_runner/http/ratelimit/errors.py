"""What a caller who asks too often is told."""

from crewai_runner.core.errors import TooManyRequests


class RateLimited(TooManyRequests):
    slug = "rate-limited"
    title = "Too many requests"
