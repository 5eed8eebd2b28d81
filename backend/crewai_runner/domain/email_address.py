"""Checks mail addresses. Pure."""

from email_validator import EmailNotValidError, validate_email


def find_address_problem(address: str) -> str | None:
    """Return why a text is not one mail address; None if it is. A display name is not part of it."""
    try:
        validate_email(address, check_deliverability=False)
    except EmailNotValidError as error:
        return f"This is not a mail address: {error}"
    return None
