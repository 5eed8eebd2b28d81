"""Whether a server could listen at an address."""

import socket


def find_bind_error(host: str, port: int) -> str | None:
    """Why nobody could listen there now, in the system's words; None when somebody could."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
