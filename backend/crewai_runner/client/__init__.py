"""A client of the API: `Client`, and `AsyncClient` for asynchronous code.

with Client("http://127.0.0.1:8000", api_key) as client:
    started = client.start_run(workflow_id="wf_…", inputs={"topic": "tea"})
    for event in client.events(started.run_id):
        print(event.type)
    print(client.get_run(started.run_id).result.raw)
"""

from crewai_runner.client.async_client import AsyncClient
from crewai_runner.client.client import Client
from crewai_runner.client.errors import ApiError, ClientError, Unreachable, WaitTimeout
from crewai_runner.client.models import Event, Run, StartedRun, Validation, Workflow

__all__ = [
    "ApiError",
    "AsyncClient",
    "Client",
    "ClientError",
    "Event",
    "Run",
    "StartedRun",
    "Unreachable",
    "Validation",
    "WaitTimeout",
    "Workflow",
]
