"""Errors of signing in at OpenID Connect issuers."""

from crewai_runner.core.errors import BadRequest, Conflict, Forbidden, Gone, NotFound, Unavailable


class IssuerNotFound(NotFound):
    slug = "issuer-not-found"
    title = "Unknown way to sign in"

    def __init__(self, issuer_id: str) -> None:
        super().__init__(f"This server has no issuer {issuer_id!r}. Sign in in another way.")


class IssuerUnavailable(Unavailable):
    """`reason` is for the log and the doctor: it may name addresses in the network of the server."""

    slug = "issuer-unavailable"
    title = "The sign-in service cannot be used"

    def __init__(self, name: str, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"{name} does not answer as it should. Try again; if that does not help, an administrator finds "
            "the cause in the log and with `crewai-runner doctor`."
        )


class AttemptInvalid(Gone):
    """One error for attempts that are unknown, expired, used, or of another browser or issuer."""

    slug = "sign-in-attempt-invalid"
    title = "The sign-in did not work"

    def __init__(self) -> None:
        super().__init__(
            "This sign-in took too long, was completed before, or began in another browser. Start again."
        )


class IdTokenInvalid(Forbidden):
    slug = "id-token-invalid"
    title = "The answer of the sign-in service is not valid"

    def __init__(self, name: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{name} sent an answer that is not accepted: {reason}. An administrator can help.")


class EmailNotVerified(Forbidden):
    slug = "email-not-verified"
    title = "The e-mail address is not verified"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name} does not confirm that you own your e-mail address. Verify the address there, then sign "
            "in again."
        )


class AccountExists(Conflict):
    slug = "account-exists"
    title = "You have an account already"

    def __init__(self, name: str) -> None:
        super().__init__(
            "There is an account with your e-mail address. Sign in to it as before, then connect it with "
            f"{name} under Your account."
        )


class NoRole(Forbidden):
    slug = "no-role"
    title = "You may not use this server yet"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"You are signed in at {name}, but none of your groups there has a role on this server. Ask the "
            "person who manages them to add you to the right group, then sign in again."
        )


class PersonDisabled(Forbidden):
    slug = "person-disabled"
    title = "Your account is disabled"

    def __init__(self) -> None:
        super().__init__("Your account on this server is disabled. Ask an administrator of this server.")


class IdentityTaken(Conflict):
    slug = "identity-taken"
    title = "Connected with another account"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"This account at {name} belongs to another person here, or you are connected with {name} "
            "already. Remove that connection first."
        )


class IdentityNotFound(NotFound):
    slug = "identity-not-found"
    title = "Connection not found"

    def __init__(self, identity_id: str) -> None:
        super().__init__(f"You have no connection {identity_id!r}. It may have been removed.")


class LastSignInMethod(Conflict):
    slug = "last-sign-in-method"
    title = "The only way to sign in"

    def __init__(self) -> None:
        super().__init__(
            "Without this connection you could not sign in. Ask an owner of your workspace for a link to "
            "choose a password first."
        )


class LogoutTokenInvalid(BadRequest):
    slug = "logout-token-invalid"
    title = "The logout token is not valid"

    def __init__(self) -> None:
        super().__init__("The logout token is not one that an issuer of this server has signed for it.")


class RefreshRefused(Exception):
    """The issuer has ended the session that a refresh token belongs to."""
