"""Describe database errors without revealing the password in the URL."""

from sqlalchemy.engine import make_url

from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings


def describe_database_error(error: Exception, settings: Settings) -> str:
    """Return one line with the database and the first line of its error message."""
    url, mask = make_url(settings.database), SecretMask()
    if url.password:
        mask.add(str(url.password))
    message = str(getattr(error, "orig", None) or error).splitlines()
    reason = message[0] if message else type(error).__name__
    return mask(f"The database {url.render_as_string()} is not available: {reason}")
