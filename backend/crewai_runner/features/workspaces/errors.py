"""Errors of the limits of workspaces."""

from crewai_runner.core.errors import Conflict, StorageFull, TooManyRequests

RETRY_SECONDS = 30


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
