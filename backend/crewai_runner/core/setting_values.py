"""Reads and checks the values of settings, and describes wrong ones."""

from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr, ValidationError

from crewai_runner.core.client_address import parse_networks


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
        f"{'.'.join(str(part) for part in item['loc'][:1]).upper() or 'settings'}: "
        f"{item['msg'].removeprefix('Value error, ')}"
        for item in error.errors(include_input=False, include_url=False)
    ]


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
