"""Errors of knowledge files."""

from crewai_runner.core.errors import Conflict, NotFound, TooLarge, Unprocessable


class KnowledgeFileNotFound(NotFound):
    slug = "knowledge-file-not-found"
    title = "Knowledge file not found"

    def __init__(self, file_id: str) -> None:
        super().__init__(f"The workflow has no knowledge file {file_id!r}. It may have been deleted.")


class KnowledgeFileRefused(Unprocessable):
    """The file cannot be knowledge; `errors` names it."""

    slug = "knowledge-file-refused"
    title = "File cannot be used"

    def __init__(self, name: str, problem: str) -> None:
        shown = name[:200]
        super().__init__(f"{shown!r} {problem}.", errors=[{"pointer": f"/files/{shown}", "detail": problem}])


class KnowledgeFileTooLarge(TooLarge):
    slug = "knowledge-file-too-large"
    title = "File too large"


class TooMuchKnowledge(Conflict):
    slug = "too-much-knowledge"
    title = "Too many knowledge files"
