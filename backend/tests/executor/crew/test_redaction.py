from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.executor.crew.context.redaction import Redactor, truncate
from crewai_runner.executor.port import Completed, Failed, NeedsHuman

SECRET = "sk-very-secret-42"


class TestRedactor:
    def test_masks_nested_secrets_but_no_short_values(self) -> None:
        redactor = Redactor([SECRET, "none"])
        given = {"a": [f"x {SECRET} y", 3, None], SECRET: "none of it"}

        cleaned = redactor.redact(TaskResult(raw="none", json_output=given))

        assert cleaned.raw == "none"
        assert cleaned.json_output == {"a": ["x •••••• y", 3, None], "••••••": "none of it"}

    def test_truncation_leaves_no_part_of_a_secret(self) -> None:
        cleaned = Redactor([SECRET]).redact(TaskResult(raw=SECRET + "x" * 10), max_length=8)

        assert cleaned.raw.startswith("••••••xx\n[truncated")

    def test_redacts_outcomes_without_truncation(self) -> None:
        redactor = Redactor([SECRET])
        long = "x" * 300_000 + SECRET

        done = redactor.redact_outcome(Completed(RunResult(raw=long, tasks={"t": TaskResult(raw=SECRET)})))
        failed = redactor.redact_outcome(Failed(RunFailure(code="c", message=SECRET, task_key="t")))
        review = redactor.redact_outcome(NeedsHuman("t", "a", SECRET, {"k": SECRET}))

        assert isinstance(done, Completed)
        assert done.result.raw == "x" * 300_000 + "••••••"
        assert done.result.tasks["t"].raw == "••••••"
        assert failed == Failed(RunFailure(code="c", message="••••••", task_key="t"))
        assert review == NeedsHuman("t", "a", "••••••", {"k": "••••••"})


class TestTruncate:
    def test_adds_the_original_length(self) -> None:
        assert truncate("abc", 3) == "abc"
        assert truncate("abcd", 3) == "abc\n[truncated: 4 characters in total]"
        assert truncate(truncate("abcd", 3), 3) == "abc\n[truncated: 4 characters in total]"
