"""Token buckets of the rate limiter, shared by several processes."""

from datetime import datetime

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base


class RateBucketRow(Base):
    """The tokens of one caller at `refilled_at`."""

    __tablename__ = "rate_buckets"

    caller: Mapped[str] = mapped_column(String(255), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float(53))
    # The tokens granted last: RETURNING of the upsert can only return stored columns.
    granted: Mapped[float] = mapped_column(Float(53))
    refilled_at: Mapped[datetime]
