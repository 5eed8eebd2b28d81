"""The built-in model's process: `python -m crewai_runner.localmodel.child_main`.

`LocalModelSupervisor` starts it. It is a separate process because native code may abort and because its
thread settings must be in the environment before its libraries load. It prints one JSON line on stdout,
`{"url": ..., "pid": ...}` when it is ready or `{"error": ...}` when it cannot serve, and runs until SIGTERM
or until its parent ends. It imports only the standard library and the native runtime, to start quickly.
"""

import argparse
import hashlib
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TextIO

TOKEN_VARIABLE = "LOCAL_MODEL_TOKEN"  # noqa: S105  (the name of a variable)
PARENT_POLL_SECONDS = 1.0


class CannotServe(Exception):
    """The model cannot be served with this installation; restarting would not help."""


def main() -> None:
    token = os.environ.pop(TOKEN_VARIABLE, "")
    # Use the default action: a Python handler would only run after the model is loaded.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    options = _parse_options()
    ready_line = _reserve_stdout()
    _exit_with_parent()
    try:
        if not token:
            raise CannotServe(f"{TOKEN_VARIABLE} is not set.")
        check_model_file(options.model, options.sha256)
        server = _serve(options, token)
    except CannotServe as refusal:
        print(json.dumps({"error": str(refusal)}), file=ready_line, flush=True)
        os._exit(3)
    print(json.dumps({"url": server.listening_address, "pid": os.getpid()}), file=ready_line, flush=True)
    ready_line.close()
    _wait_for_parent_exit()
    os._exit(0)  # a clean shutdown would wait for responses in progress


def check_model_file(path: Path, sha256: str | None) -> None:
    """Raise CannotServe unless the file is a GGUF file and, if given, has this SHA-256 (hex)."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest() if sha256 else None
    except OSError as error:
        raise CannotServe(f"The model file {path.name} cannot be read: {error.strerror}.") from error
    if magic != b"GGUF":
        raise CannotServe(f"The model file {path.name} is not a GGUF file.")
    if digest != sha256:
        raise CannotServe(f"The model file {path.name} is not the expected one: its SHA-256 is {digest}.")


def _parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="crewai_runner.localmodel.child_main")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--sha256")
    parser.add_argument("--alias", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def _reserve_stdout() -> TextIO:
    """Reserve stdout for the JSON line and redirect everything libraries print to stderr."""
    ready_line = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return ready_line


def _exit_with_parent() -> None:
    """Exit when the parent ends: the system then closes its side of our stdin."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _wait_for_parent_exit() -> None:
    # In addition to stdin, because another child of the parent may have inherited the pipe.
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)


def _serve(options: argparse.Namespace, token: str) -> Any:
    """Load the model and listen on loopback, on the requested port if it is free."""
    # Must be set before the import. Busy-waiting threads would slow down other programs.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        import xllamacpp  # noqa: PLC0415
    except ImportError as error:
        hint = " Install it (Debian, Ubuntu: apt-get install libgomp1)." if "libgomp" in str(error) else ""
        raise CannotServe(f"The model runtime cannot be loaded: {error}.{hint}") from error
    for port in dict.fromkeys((options.port, 0)):
        try:
            return xllamacpp.Server(_set_parameters(xllamacpp.CommonParams(), options, token, port))
        except RuntimeError as error:
            sys.stderr.write(f"port {port}: {error}\n")
    raise CannotServe(f"The model file {options.model.name} cannot be loaded.")


def _set_parameters(parameters: Any, options: argparse.Namespace, token: str, port: int) -> Any:
    parameters.model.path = str(options.model)
    parameters.model_alias = {options.alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.api_keys = [token]
    # The default allows requests from any web page.
    parameters.cors_origins, parameters.cors_origins_explicit = "http://127.0.0.1", True
    parameters.n_ctx, parameters.n_parallel, parameters.kv_unified = options.context, 2, True
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = options.threads
    # Without a limit a request would run until the context is full.
    parameters.n_predict = 512
    parameters.cache_ram_mib, parameters.cache_idle_slots, parameters.n_threads_http = 0, False, 4
    parameters.fit_params, parameters.ui = False, False
    parameters.verbosity = 2
    sampling = parameters.sampling
    sampling.temp, sampling.penalty_repeat, sampling.penalty_last_n = 0.2, 1.08, 256
    return parameters


if __name__ == "__main__":
    main()
