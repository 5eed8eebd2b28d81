"""Errors of CrewAI as failures with a code, a message and a hint."""

import pytest
from pydantic import BaseModel

from crewai_runner.core.answer_limits import AnswerTooLarge
from crewai_runner.executor.crew.context import exceptions
from crewai_runner.executor.crew.errors.classify import FAILURE_CODES, classify_error
from tests.executor.crew.failure_cases import ERROR_RESPONSES, classify

pytestmark = pytest.mark.crew


class ToolExecutionFailedError(Exception):
    pass


class ConverterError(Exception):
    pass


class Shape(BaseModel):
    n: int


def validation_error() -> Exception:
    try:
        Shape.model_validate({"n": "prose"})
    except ValueError as error:
        return error
    raise AssertionError


def with_cause(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


class StatusError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"status {status}")
        self.status_code = status


CREWAI_ERRORS: list[tuple[BaseException, str]] = [
    (ToolExecutionFailedError("Tool 'http_get' failed: 404"), "tool-failed"),
    (with_cause(ToolExecutionFailedError("Tool failed"), StatusError(404)), "tool-failed"),
    (
        Exception("Task failed guardrail validation after 3 retries. Last error: too short"),
        "guardrail-failed",
    ),
    (Exception("Task failed guardrail 0 validation after 3 retries. Last error: x"), "guardrail-failed"),
    (
        TimeoutError("Task 'x' execution timed out after 2 seconds. Consider increasing max_execution_time"),
        "agent-timeout",
    ),
    (ConverterError("no JSON"), "output-invalid"),
    (validation_error(), "output-invalid"),
    (ValueError("Missing required template variable 'topic' in description"), "input-missing"),
    (ValueError("OPENAI_API_KEY is required"), "provider-auth"),
    (AttributeError("'str' object has no attribute 'choices'"), "provider-garbage"),
    (ImportError("Anthropic native provider not available, to install: uv add x"), "extra-missing"),
    (with_cause(ValueError("Model m-1 not found: x"), StatusError(404)), "model-not-found"),
    (exceptions.AnswerTruncated("finish reason 'length'"), "answer-truncated"),
    (exceptions.AnswerFiltered("finish reason 'SAFETY'"), "answer-filtered"),
    (exceptions.AnswerRefused("I cannot help with that."), "answer-refused"),
    (RuntimeError("who knows"), "crew-error"),
    (KeyError("x"), "crew-error"),
]


class TestCrewAIErrors:
    @pytest.mark.parametrize(
        ("error", "code"), CREWAI_ERRORS, ids=[f"{e[1]}-{i}" for i, e in enumerate(CREWAI_ERRORS)]
    )
    def test_known_errors(self, error: BaseException, code: str) -> None:
        failure = classify(error)

        assert failure.code == code
        assert failure.message
        assert failure.hint

    async def test_empty_answer(self) -> None:
        assert (
            classify(ValueError("Invalid response from LLM call - None or empty.")).code == "provider-empty"
        )

    def test_every_code_is_tested(self) -> None:
        tested = {code for _, code in CREWAI_ERRORS} | {code for _, code, _ in ERROR_RESPONSES}

        assert FAILURE_CODES - tested == {
            "provider-rate-limit",
            "provider-timeout",
            "provider-empty",
            "provider-unreachable",
            "call-cut-short",
            "answer-too-large",
        }

    def test_limit_is_named_when_the_client_reports_a_status(self) -> None:
        error = RuntimeError("Client error '400 Bad Request'")
        error.__context__ = AnswerTooLarge("llm.example sent more than 32 MB in one answer.")

        failure = classify_error(error, provider_name="Tea")

        assert failure.code == "answer-too-large"
        assert "llm.example sent more than 32 MB" in failure.message


class TestUnusableModel:
    def test_missing_extra_says_what_to_install(self) -> None:
        failure = classify(exceptions.MissingExtra("Anthropic", "anthropic"))

        assert failure.code == "extra-missing"
        assert failure.message == "Support for Anthropic is not installed."
        assert "uv sync --extra anthropic" in str(failure.hint)

    def test_keeps_its_message_and_hint(self) -> None:
        failure = classify(
            exceptions.UnusableModel("Acme AI has no API key.", code="provider-auth", hint="Enter one.")
        )

        assert (failure.code, failure.message, failure.hint) == (
            "provider-auth",
            "Acme AI has no API key.",
            "Enter one.",
        )

    def test_may_have_any_code(self) -> None:
        failure = classify(exceptions.UnusableModel("No embedder.", code="embedder-missing"))

        assert (failure.code, failure.message) == ("embedder-missing", "No embedder.")


class TestCauses:
    def test_suppressed_context_is_ignored(self) -> None:
        def fail_after_handling() -> None:
            try:
                raise StatusError(401)
            except StatusError:
                raise RuntimeError("the crew's own failure") from None

        with pytest.raises(RuntimeError) as failure:
            fail_after_handling()

        assert classify(failure.value).code == "crew-error"

    def test_circular_causes(self) -> None:
        one, two = ValueError("one"), ValueError("two")
        one.__cause__, two.__cause__ = two, one

        assert classify(one).code == "crew-error"
