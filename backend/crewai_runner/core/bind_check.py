"""Check whether a server could listen on an address."""

import socket


def find_bind_error(host: str, port: int) -> str | None:
    """Try to bind to an address; return the operating system's error message, None on success."""
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or type(error).__name__
    return None
