from crewai_runner.domain.run import RunFailure, RunResult, TaskResult
from crewai_runner.executor.crew.context.redaction import Redactor, truncate
from crewai_runner.executor.port import Completed, Failed, NeedsHuman

SECRET = "sk-very-secret"


class TestRedactor:
    def test_masks_nested_secrets_but_no_short_values(self) -> None:
        redactor = Redactor([SECRET, "none"])

        cleaned = redactor.redact({"a": [f"x {SECRET} y", 3, None], SECRET: "none of it"})

        assert cleaned == {"a": ["x [secret] y", 3, None], "[secret]": "none of it"}

    def test_redacts_outcomes_without_truncation(self) -> None:
        redactor = Redactor([SECRET])
        long = "x" * 300_000 + SECRET

        done = redactor.redact_outcome(Completed(RunResult(raw=long, tasks={"t": TaskResult(raw=SECRET)})))
        failed = redactor.redact_outcome(Failed(RunFailure(code="c", message=SECRET, task_key="t")))
        review = redactor.redact_outcome(NeedsHuman("t", "a", SECRET, {"k": SECRET}))

        assert isinstance(done, Completed)
        assert done.result.raw == "x" * 300_000 + "[secret]"
        assert done.result.tasks["t"].raw == "[secret]"
        assert failed == Failed(RunFailure(code="c", message="[secret]", task_key="t"))
        assert review == NeedsHuman("t", "a", "[secret]", {"k": "[secret]"})


class TestTruncate:
    def test_adds_the_original_length(self) -> None:
        assert truncate("abc", 3) == "abc"
        assert truncate("abcd", 3) == "abc\n[truncated: 4 characters in total]"
