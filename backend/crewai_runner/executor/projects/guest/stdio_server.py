"""Becomes a command whose input and output are a connection to a Unix socket.

Its arguments are the path of the socket and the command line. Errors of the command go to stderr.
Standard library only, Python 3.10 to 3.13.
"""

import os
import socket
import sys


def main() -> None:
    link = socket.socket(socket.AF_UNIX)
    link.connect(sys.argv[1])
    for descriptor in (0, 1):
        os.dup2(link.fileno(), descriptor)
    link.close()
    try:
        os.execvp(sys.argv[2], sys.argv[2:])  # noqa: S606 - there is no shell
    except OSError as error:
        sys.exit(sys.argv[2] + " cannot be started: " + str(error.strerror))


if __name__ == "__main__":
    main()
