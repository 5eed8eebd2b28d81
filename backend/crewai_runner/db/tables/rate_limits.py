"""Buckets of requests that several processes share."""

from datetime import datetime

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base


class RateBucketRow(Base):
    """How many requests a caller may make at once, as it stood at `refilled_at`."""

    __tablename__ = "rate_buckets"

    caller: Mapped[str] = mapped_column(String(255), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float(53))
    # What the last taking was given: the statement that takes can only return what it has written.
    granted: Mapped[float] = mapped_column(Float(53))
    refilled_at: Mapped[datetime]
