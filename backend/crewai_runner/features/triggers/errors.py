"""Errors of triggers. Those of the receiving endpoint tell a sender nothing about the workspace."""

from http import HTTPStatus

from crewai_runner.core.errors import (
    AppError,
    BadRequest,
    Conflict,
    NotFound,
    TooManyRequests,
    Unauthenticated,
    Unprocessable,
)


class TriggerNotFound(NotFound):
    slug = "trigger-not-found"
    title = "Trigger not found"

    def __init__(self, trigger_id: str) -> None:
        super().__init__(f"Trigger {trigger_id!r} does not exist. It may have been deleted.")


class TriggerNameTaken(Conflict):
    slug = "trigger-name-taken"
    title = "Trigger name is taken"

    def __init__(self, name: str) -> None:
        super().__init__(f"A trigger named {name!r} already exists. Choose another name.")


class TooManyTriggers(Conflict):
    slug = "too-many-triggers"
    title = "Too many triggers"

    def __init__(self, limit: int) -> None:
        super().__init__(f"A workspace has at most {limit} triggers. Delete some first.")


class TriggerInvalid(Unprocessable):
    """Carries `errors` with one `{pointer, detail}`."""

    slug = "trigger-invalid"
    title = "Trigger is not valid"

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(f"{pointer}: {detail}", errors=[{"pointer": pointer, "detail": detail}])


class DeliveryNotFound(NotFound):
    slug = "delivery-not-found"
    title = "Delivery not found"

    def __init__(self, delivery_id: str) -> None:
        super().__init__(f"Delivery {delivery_id!r} does not exist. Only the newest ones are kept.")


class DeliveryBodyGone(Conflict):
    slug = "delivery-body-gone"
    title = "The body is no longer kept"

    def __init__(self) -> None:
        super().__init__("Only the newest bodies are kept. Ask the sender to send it again.")


class HookUnknown(NotFound):
    """One error for unknown and disabled triggers, so that nothing is learnt by guessing."""

    slug = "hook-unknown"
    title = "Unknown address"

    def __init__(self) -> None:
        super().__init__("No active trigger has this address. Check the address, and that it is enabled.")


class HookSignatureInvalid(Unauthenticated):
    slug = "hook-signature-invalid"
    title = "Signature is not valid"

    def __init__(self) -> None:
        super().__init__(
            "The signature or token does not match, is missing, or is older than five minutes. "
            "Check the secret and the clock of the sender."
        )


class HookTypeUnsupported(AppError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    slug = "hook-type-unsupported"
    title = "Unsupported content type"

    def __init__(self) -> None:
        super().__init__("Send the body as application/json.")


class HookBodyInvalid(BadRequest):
    slug = "hook-body-invalid"
    title = "Body is not valid"

    def __init__(self) -> None:
        super().__init__("The body is not JSON in UTF-8.")


class HookNotAccepted(Unprocessable):
    slug = "hook-not-accepted"
    title = "Delivery is not accepted"

    def __init__(self) -> None:
        super().__init__("No run was started. The trigger's delivery log says why.")


class HookBusy(TooManyRequests):
    slug = "hook-busy"
    title = "Too many deliveries"

    def __init__(self, seconds: int) -> None:
        super().__init__("Send the delivery again later.", headers={"Retry-After": str(seconds)})
