"""Errors of the rate limiter."""

from crewai_runner.core.errors import TooManyRequests


class RateLimited(TooManyRequests):
    slug = "rate-limited"
    title = "Too many requests"
