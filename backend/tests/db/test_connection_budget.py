"""The connections of one process are bounded and shared between its parts."""

import pytest

from crewai_runner.db.connection_budget import FIXED_CONNECTIONS, MIN_CONNECTIONS, ConnectionBudget


class TestSplit:
    def test_distributes_every_connection(self) -> None:
        for total in range(MIN_CONNECTIONS, 501):
            budget = ConnectionBudget.split(total)

            assert budget.sessions + budget.reads + FIXED_CONNECTIONS == total
            assert budget.sessions >= 2
            assert budget.reads >= 1

    def test_refuses_too_few(self) -> None:
        with pytest.raises(ValueError, match="at least 9 database connections, not 8"):
            ConnectionBudget.split(MIN_CONNECTIONS - 1)
