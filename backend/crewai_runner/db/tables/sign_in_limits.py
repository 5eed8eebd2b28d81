"""Failed sign-ins, counted by several processes together."""

from datetime import datetime

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from crewai_runner.db.base import Base


class SignInLimitRow(Base):
    """The failures of an address (`account` is empty) or of an account (`address` is empty) at `updated_at`.

    A row with both is an address that has signed in to the account.
    """

    __tablename__ = "sign_in_limits"

    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(200), primary_key=True)
    failures: Mapped[float] = mapped_column(Float(53))
    updated_at: Mapped[datetime] = mapped_column(index=True)
