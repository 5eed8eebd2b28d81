"""Reads and checks the values of settings, and describes wrong ones."""

import re
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr, ValidationError

from crewai_runner.core.client_address import parse_networks

SAMPLE_API_KEYS = frozenset({"change-me", "your-api-key", "your-secret-api-key-here", "changeme"})
_PLAIN_URL = re.compile(r"^https?://[^\s/@?#]+(/[^\s@?#]*)?$")
_SYSLOG_ADDRESS = re.compile(r"(udp|tcp|tls)://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+):[0-9]{1,5}")


def read_file(name: str, path: str) -> str:
    try:
        return Path(path).read_text().strip()
    except OSError as error:
        raise ValueError(f"{name.upper()}_FILE cannot be read ({error.strerror})") from None


def add_password(url: str, password: SecretStr | None) -> str:
    scheme, _, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    if password is None or not at or ":" in user:
        return url
    return f"{scheme}://{user}:{quote(password.get_secret_value(), safe='')}@{host}"


def setting_errors(error: ValidationError) -> list[str]:
    """Describe each invalid setting in one line, without its value, which may be a secret."""
    return [
        f"{_name_setting(item['loc'])}: {item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_input=False, include_url=False)
    ]


def _name_setting(location: Sequence[int | str]) -> str:
    """Return the name of a setting, with the place in it for one that is a list of tables."""
    if not location:
        return "settings"
    name, *place = (str(part) for part in location)
    return f"{name.upper()} ({'.'.join(place)})" if len(place) > 1 else name.upper()


def check_api_key(value: SecretStr | None) -> SecretStr | None:
    # An HTTP header cannot contain other characters, so no request could be authenticated.
    if value and not all("\x21" <= character <= "\x7e" for character in value.get_secret_value()):
        raise ValueError("must be printable ASCII characters without spaces")
    return value


def check_database_url(value: str) -> str:
    if value and not value.startswith(("sqlite", "postgresql", "postgres://")):
        raise ValueError("must start with sqlite: or postgresql:")
    return value.replace("postgres://", "postgresql://", 1)


def check_plain_url(value: str) -> str:
    if value and not _PLAIN_URL.match(value):
        raise ValueError("must be an http or https URL without user, query or fragment")
    return value


def check_trusted_proxies(value: list[str]) -> list[str]:
    try:
        networks = parse_networks(value)
    except ValueError:
        raise ValueError("must be IP addresses or networks, such as 10.0.0.5 or 172.31.250.0/24") from None
    if any(network.prefixlen == 0 for network in networks):
        raise ValueError("must not be all addresses: then any client could choose its own")
    return value


def check_private_hosts(value: list[str]) -> list[str]:
    # This imports httpx, which takes longer than all the rest and is needed for this setting only.
    from crewai_runner.core.host_patterns import parse_private_hosts  # noqa: PLC0415

    try:
        parse_private_hosts(value)
    except ValueError:
        raise ValueError(
            "must be host names, IP addresses or networks, such as wiki.internal, 10.0.0.5 or "
            "172.31.250.0/24, but not all addresses"
        ) from None
    return value


def check_secret_keys(value: list[SecretStr]) -> list[SecretStr]:
    from cryptography.fernet import Fernet  # noqa: PLC0415  # the import takes 50 ms, and only this setting needs it

    for key in value:
        try:
            Fernet(key.get_secret_value())
        except ValueError:
            raise ValueError(
                "every key must be 32 url-safe base64-encoded bytes; `crewai-runner new-key` creates one"
            ) from None
    return value


def check_syslog_address(value: str) -> str:
    if value and not _SYSLOG_ADDRESS.fullmatch(value):
        raise ValueError("must be udp://host:port, tcp://host:port or tls://host:port")
    return value


def check_production(api_key: SecretStr | None, cors_origins: list[str]) -> None:
    """Check what a server that others reach must have set."""
    key = api_key.get_secret_value() if api_key else ""
    if not key or key.lower() in SAMPLE_API_KEYS:
        raise ValueError("API_KEY must be set to a secret value when APP_ENV=production")
    if len(key) < 16:
        raise ValueError("API_KEY must have at least 16 characters when APP_ENV=production")
    if "*" in cors_origins:
        raise ValueError("CORS_ORIGINS must not be * when APP_ENV=production")
