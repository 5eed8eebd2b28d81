"""Put on PYTHONPATH of a server process: writes every address it looks up or connects to into a file."""

import os
import sys

WATCHED = {
    "socket.connect": 1,
    "socket.sendto": 1,
    "socket.getaddrinfo": 0,
    "socket.gethostbyname": 0,
    "subprocess.Popen": 0,
}
# Its connections are made in C, where no audit hook looks; the standard loop takes its place.
sys.modules["uvloop"] = None  # type: ignore[assignment]

_file = os.open(os.environ["EGRESS_RECORD"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)


def _record(event: str, arguments: tuple[object, ...]) -> None:
    if event in WATCHED:
        os.write(_file, f"{event} {arguments[WATCHED[event]]!r}\n".encode())


sys.addaudithook(_record)
