"""The event for a task's output that is saved as a file."""

from crewai_runner.domain.output_files import find_media_type
from crewai_runner.domain.run_event_payloads import ArtifactSavedData
from crewai_runner.domain.run_events import ArtifactSaved


def make_artifact_event(task_key: str, path: str, output: str) -> ArtifactSaved:
    """Return the event for a task's output that is saved at a path."""
    return make_file_event(task_key, path, len(output.encode()))


def make_file_event(task_key: str, path: str, size: int) -> ArtifactSaved:
    """Return the event for a file of this many bytes; `task_key` is empty for one that no task wrote."""
    data = ArtifactSavedData(name=path, media_type=find_media_type(path), size=size)
    return ArtifactSaved(task_key=task_key or None, data=data)
