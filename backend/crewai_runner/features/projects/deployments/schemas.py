"""Schemas of deployments, with the names that CrewAI's command line reads."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

UUID = "The id of the project."
STATUS = "In the words of CrewAI AMP."
PUBLIC_URL = "The base address of its run API."
DeploymentState = Literal["Deploy Enqueued", "Deploy in Progress", "Crew is Online", "Deploy Failed"]


class DeploymentEntry(BaseModel):
    """A project in the list of deployments."""

    name: str
    uuid: str = Field(description=UUID)
    status: DeploymentState = Field(description=STATUS)


class DeploymentRead(DeploymentEntry):
    """The newest version of a project."""

    version: int
    public_url: str = Field(description=PUBLIC_URL)
    zip_deployment: Literal[True] = Field(True, description="Pushes upload the files.")
    error_message: str | None = Field(None, description="Why the build failed.")


class Deployed(DeploymentEntry):
    """A new project or version."""

    version: int
    public_url: str = Field(description=PUBLIC_URL)
    message: str | None = Field(None, description="What was left out of the upload, and other warnings.")


class DeploymentLogLine(BaseModel):
    timestamp: datetime = Field(description="Of the step; its lines have the same.")
    level: Literal["INFO", "WARNING", "ERROR"]
    message: str = Field(
        description="Square brackets are escaped for Rich, which the command line prints with."
    )
