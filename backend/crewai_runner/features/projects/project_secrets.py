"""The secrets of a project: environment variables of its runs, which can be set but never read."""

from collections.abc import Mapping

from pydantic import SecretStr
from sqlalchemy.ext.asyncio import AsyncSession

from crewai_runner.core.principal import Principal
from crewai_runner.db.subject_name_repository import load_subject_names
from crewai_runner.features.projects.errors import (
    ProjectInvalid,
    ProjectSecretNotFound,
    TooManySecrets,
)
from crewai_runner.features.projects.records import ProjectRecords
from crewai_runner.features.projects.rules import find_secret_name_problem
from crewai_runner.features.projects.schemas import MAX_SECRETS, ProjectSecretEntry, ProjectSecretList
from crewai_runner.features.projects.service import ProjectDeps


class ProjectSecrets:
    """Every method raises ProjectNotFound."""

    def __init__(self, session: AsyncSession, deps: ProjectDeps) -> None:
        self._session, self._cipher = session, deps.cipher
        self._records = ProjectRecords(session)

    async def list_names(self, principal: Principal, project_id: str) -> ProjectSecretList:
        row = await self._records.get(principal, project_id)
        secrets = await self._records.secrets.list_all(row.id)
        await load_subject_names(self._session, secrets)
        return ProjectSecretList(secrets=[ProjectSecretEntry.model_validate(secret) for secret in secrets])

    async def set(self, principal: Principal, project_id: str, values: Mapping[str, SecretStr]) -> None:
        """Set or replace secrets, all or none.

        Raises ProjectInvalid for a name or value that cannot be used, TooManySecrets.
        """
        row = await self._records.get(principal, project_id, lock=True)
        for name, value in values.items():
            _check(name, value)
        existing = {secret.name for secret in await self._records.secrets.list_all(row.id)}
        if len(existing | values.keys()) > MAX_SECRETS:
            raise TooManySecrets(f"A project has at most {MAX_SECRETS} secrets. Delete one first.")
        for name, value in values.items():
            await self._records.seal(principal, row, name, value.get_secret_value(), self._cipher)
        row.version += 1
        await self._session.flush()

    async def delete(self, principal: Principal, project_id: str, name: str) -> None:
        """Delete a secret. Raises ProjectSecretNotFound."""
        row = await self._records.get(principal, project_id, lock=True)
        is_possible = find_secret_name_problem(name) is None  # PostgreSQL refuses to compare a NUL
        if not is_possible or not await self._records.secrets.delete(row.id, name):
            raise ProjectSecretNotFound(name)
        row.version += 1
        await self._session.flush()


def _check(name: str, value: SecretStr) -> None:
    if (problem := find_secret_name_problem(name)) is not None:
        raise ProjectInvalid("/name", problem)
    if "\x00" in value.get_secret_value():
        raise ProjectInvalid("/value", "An environment variable cannot contain the NUL character.")
