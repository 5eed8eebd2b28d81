"""What a database's error means, without the password that may stand in it."""

from sqlalchemy.engine import make_url

from crewai_runner.core.logging import SecretMask
from crewai_runner.core.settings import Settings


def trouble(error: Exception, settings: Settings) -> str:
    """One line: which database, and the first line of what it said."""
    url, mask = make_url(settings.database), SecretMask()
    if url.password:
        mask.add(str(url.password))
    said = str(getattr(error, "orig", None) or error).splitlines()
    return mask(
        f"The database {url.render_as_string()} does not answer: {said[0] if said else type(error).__name__}"
    )
