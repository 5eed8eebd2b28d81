"""Errors of workspaces and their limits."""

from datetime import datetime

from crewai_runner.core.clock import now
from crewai_runner.core.errors import Conflict, NotFound, StorageFull, TooManyRequests, Unprocessable
from crewai_runner.domain.usage import normalize_amount
from crewai_runner.domain.workspace_quota import SPENDING_EXCEEDED, Spending

RETRY_SECONDS = 30
RAISE_HINT = "An owner of the workspace or the administrator of the server can raise the quota."


class WorkspaceStorageFull(StorageFull):
    """The runs of the workspace store more than WORKSPACE_MAX_STORED_MB."""

    slug = "workspace-storage-full"
    title = "The workspace stores too much"

    def __init__(self, stored_mb: float, limit_mb: float) -> None:
        super().__init__(
            f"No run was started: the runs of the workspace store {stored_mb:,.1f} MB, and its limit is "
            f"{limit_mb:,g} MB (WORKSPACE_MAX_STORED_MB). Delete old runs, let RUNS_KEPT_DAYS or "
            "EVENTS_KEPT_DAYS delete them (`crewai-runner compact` then returns the space to the disk), or "
            "raise the limit and restart the server.",
            limit="WORKSPACE_MAX_STORED_MB",
            limit_value=limit_mb,
            current_value=round(stored_mb, 1),
        )


class TooManyRuns(TooManyRequests):
    """The workspace has WORKSPACE_MAX_ACTIVE_RUNS or WORKSPACE_MAX_QUEUED_RUNS runs."""

    slug = "too-many-runs"
    title = "The workspace has too many runs"

    def __init__(self, which: str, count: int, setting: str, limit: int) -> None:
        super().__init__(
            f"No run was started: the workspace has {count:,} runs {which}, and its limit is {limit:,} "
            f"({setting}). Try again when runs have ended, stop some, or raise the limit and restart the "
            "server.",
            headers={"Retry-After": str(RETRY_SECONDS)},
            limit=setting,
            limit_value=limit,
            current_value=count,
        )


class QuotaReached(TooManyRequests):
    """No further run may be started now. `quota` names the limit as `QuotaLimits` does."""

    slug = "workspace-quota-reached"
    title = "The quota of the workspace is reached"

    def __init__(
        self, quota: str, words: str, used: object, limit: object, resets_at: datetime | None
    ) -> None:
        seconds = RETRY_SECONDS if resets_at is None else (resets_at - now()).total_seconds()
        super().__init__(
            f"No run was started: {words} {RAISE_HINT}",
            headers={"Retry-After": str(max(1, round(seconds)))},
            quota=quota,
            limit_value=limit,
            current_value=used,
            resets_at=None if resets_at is None else f"{resets_at:%Y-%m-%dT%H:%M:%SZ}",
        )


class RunsAtOnceReached(QuotaReached):
    def __init__(self, used: int, limit: int) -> None:
        super().__init__(
            "runsAtOnce",
            f"the workspace has {used:,} runs that have not ended, and its quota is {limit:,}. Try again "
            "when runs have ended, or stop some.",
            used,
            limit,
            None,
        )


class RunsPerDayReached(QuotaReached):
    def __init__(self, used: int, limit: int, resets_at: datetime) -> None:
        super().__init__(
            "runsPerDay",
            f"{used:,} runs were started today, and the quota of the workspace is {limit:,} a day. The next "
            "day begins at 00:00 UTC.",
            used,
            limit,
            resets_at,
        )


class SpendingQuotaReached(QuotaReached):
    slug = SPENDING_EXCEEDED

    def __init__(self, spending: Spending) -> None:
        limit, month = spending.limit, spending.month
        super().__init__(
            "spendPerMonth",
            f"the runs of the workspace have spent its quota of {limit} for {month.name}. The next month "
            f"begins on {month.end:%Y-%m-%d}, 00:00 UTC.",
            f"{normalize_amount(spending.amount):f}",
            limit.model_dump(mode="json")["amount"],
            month.end,
        )
        self.extra["currency"] = limit.currency


class StorageQuotaReached(StorageFull):
    slug = "workspace-storage-quota-reached"
    title = "The workspace stores as much as its quota"

    def __init__(self, stored_mb: float, limit_mb: float) -> None:
        super().__init__(
            f"No run was started: the workspace stores {stored_mb:,.1f} MB, and its quota is {limit_mb:,g} "
            f"MB. Delete old runs or projects, or keep runs for fewer days. {RAISE_HINT}",
            quota="storedMb",
            limit_value=limit_mb,
            current_value=round(stored_mb, 1),
            resets_at=None,
        )


class QuotaAboveLimit(Unprocessable):
    """`errors` lists the quotas that are above those of the administrator or the server."""

    slug = "quota-above-limit"
    title = "Above what the server allows"


class WorkspaceNotFound(NotFound):
    slug = "workspace-not-found"
    title = "Workspace not found"

    def __init__(self, workspace_id: str) -> None:
        super().__init__(f"Workspace {workspace_id!r} does not exist on this server.")


class WorkspaceNameTaken(Conflict):
    slug = "workspace-name-taken"
    title = "Workspace name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"A workspace named {name!r} already exists. Choose another name.")


class TooManyWorkspaces(Conflict):
    slug = "too-many-workspaces"
    title = "Too many workspaces"

    def __init__(self, limit: int) -> None:
        super().__init__(f"This server has {limit} workspaces already, which is its limit.")
