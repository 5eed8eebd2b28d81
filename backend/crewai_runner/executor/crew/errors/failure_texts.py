"""Messages and hints of failures by code."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class FailureText:
    """`{provider}` and `{model}` are replaced in both texts."""

    message: str
    hint: str


FAILURE_TEXTS: Mapping[str, FailureText] = MappingProxyType(
    {
        "provider-auth": FailureText(
            "{provider} refused the API key", "Check this provider's API key and save it again."
        ),
        "provider-forbidden": FailureText(
            "{provider} does not permit this call",
            "Check that the account of the API key may use {model} from this location.",
        ),
        "provider-rate-limit": FailureText(
            "{provider} rejected the call because of a rate limit",
            "Wait and start again, lower the agents' max_rpm, or raise the limit at the provider.",
        ),
        "provider-quota": FailureText(
            "The account at {provider} has no credit or quota left",
            "Add credit at the provider, or use another provider.",
        ),
        "provider-bad-request": FailureText(
            "{provider} rejected the request",
            "Check the model's settings: {model} may not support one of them.",
        ),
        "answer-too-large": FailureText(
            "{provider} sent more than this server accepts",
            "Limit the answer with max_tokens, or raise ANSWER_MAX_MB or ANSWER_LINE_MAX_MB.",
        ),
        "call-cut-short": FailureText(
            "The call to {provider} was ended before {model} had answered",
            "It was stopped together with its run or task, and counts toward the budget.",
        ),
        "context-too-long": FailureText(
            "The conversation exceeds the context window of {model} at {provider}",
            "Use a model with a larger context window, or shorter texts and tool results.",
        ),
        "model-not-found": FailureText(
            "{provider} does not know {model}",
            "Check the model's name and the provider's base URL; testing the provider lists its models.",
        ),
        "provider-error": FailureText(
            "{provider} reported an internal error",
            "Resume the run later; if the error persists, check the provider's status page.",
        ),
        "provider-timeout": FailureText(
            "{provider} did not answer in time", "Raise the model's timeout, or use a faster model."
        ),
        "provider-unreachable": FailureText(
            "{provider} could not be reached",
            "Check the provider's base URL, that its server is running, and this server's network.",
        ),
        "provider-garbage": FailureText(
            "{provider} returned something other than a model response",
            "Check the provider's base URL: most end in /v1.",
        ),
        "provider-empty": FailureText(
            "{model} at {provider} returned an empty answer",
            "Resume the run, raise max_tokens, or use another model.",
        ),
        "provider-interrupted": FailureText(
            "The connection to {provider} was lost before the answer of {model} was complete",
            "Resume the run; if it happens again, raise the model's max_retries.",
        ),
        "answer-truncated": FailureText(
            "{model} at {provider} reached its token limit before it began the answer",
            "Raise the model's max_tokens, lower its reasoning effort, or shorten the task.",
        ),
        "answer-filtered": FailureText(
            "The content filter of {provider} blocked a call of {model}",
            "Rephrase the task or its inputs, or use a provider with other filter settings.",
        ),
        "answer-refused": FailureText(
            "{model} at {provider} refused to answer",
            "Rephrase the task or its inputs, or use another model.",
        ),
        "extra-missing": FailureText(
            "An optional dependency is not installed", "Install it as described in the message, and restart."
        ),
        "tool-failed": FailureText("A tool failed", "See the tool's event for its arguments and its output."),
        "guardrail-failed": FailureText(
            "No answer passed the guardrail",
            "Relax the guardrail, raise its retries, or use a stronger model.",
        ),
        "agent-timeout": FailureText(
            "The agent exceeded its time limit",
            "Raise the agent's max_execution_time, or make the task smaller.",
        ),
        "output-invalid": FailureText(
            "The answer does not match the output schema of the task",
            "Use a model that follows JSON schemas, or simplify the schema.",
        ),
        "input-missing": FailureText(
            "An input is missing", "Provide every input that the workflow's texts refer to."
        ),
        "crew-error": FailureText("The crew failed", "See the run's earlier events for the cause."),
    }
)
