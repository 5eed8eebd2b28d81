"""The process that holds the built-in model: `python -m crewai_runner.localmodel.child`.

`LocalModel` starts it. It stands apart because native code may abort, and because its thread settings must be
in the environment before its libraries load. It prints one JSON line on stdout, `{"url": ..., "pid": ...}`
when it serves or `{"error": ...}` when it never will, and lives until SIGTERM or until its parent is gone.
Standard library only, the native runtime aside: starting it must stay quick.
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


class Refusal(Exception):
    """The model can never be served as things are; starting again would not help."""


def main() -> None:
    token = os.environ.pop(TOKEN_VARIABLE, "")
    # A handler written in Python would wait for the loading to end; the default action does not.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    options = _options()
    hello = _claim_stdout()
    _leave_with_parent()
    try:
        if not token:
            raise Refusal(f"{TOKEN_VARIABLE} is not set.")
        check_model_file(options.model, options.sha256)
        server = _serve(options, token)
    except Refusal as refusal:
        print(json.dumps({"error": str(refusal)}), file=hello, flush=True)
        os._exit(3)
    print(json.dumps({"url": server.listening_address, "pid": os.getpid()}), file=hello, flush=True)
    hello.close()
    _wait_for_orphanhood()
    os._exit(0)  # an orderly end would wait for the answers being written


def check_model_file(path: Path, sha256: str | None) -> None:
    """Raises Refusal unless the file is a GGUF file and, when a SHA-256 is given, that very one."""
    try:
        with path.open("rb") as file:
            magic = file.read(4)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest() if sha256 else None
    except OSError as error:
        raise Refusal(f"The model file {path.name} cannot be read: {error.strerror}.") from error
    if magic != b"GGUF":
        raise Refusal(f"The model file {path.name} is not a GGUF file.")
    if digest != sha256:
        raise Refusal(f"The model file {path.name} is not the expected one: its SHA-256 is {digest}.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="crewai_runner.localmodel.child")
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--sha256")
    parser.add_argument("--alias", required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--context", type=int, default=8192)
    parser.add_argument("--threads", type=int, default=2)
    return parser.parse_args()


def _claim_stdout() -> TextIO:
    """Keep stdout for the one line; whatever libraries print goes to stderr."""
    hello = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return hello


def _leave_with_parent() -> None:
    """End with the parent, however it ends: the system closes its side of our stdin."""

    def watch() -> None:
        while os.read(0, 1024):
            pass
        os._exit(0)

    threading.Thread(target=watch, daemon=True).start()


def _wait_for_orphanhood() -> None:
    # Besides stdin: another child of the parent may have inherited the other end of that pipe.
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(PARENT_POLL_SECONDS)


def _serve(options: argparse.Namespace, token: str) -> Any:
    """Load the model and listen on loopback, on the wanted port if it is free."""
    # Must precede the import: spinning threads starve a machine that has other work to do.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        import xllamacpp  # noqa: PLC0415
    except ImportError as error:
        hint = " Install it (Debian, Ubuntu: apt-get install libgomp1)." if "libgomp" in str(error) else ""
        raise Refusal(f"The model runtime cannot be loaded: {error}.{hint}") from error
    for port in dict.fromkeys((options.port, 0)):
        try:
            return xllamacpp.Server(_parameters(xllamacpp.CommonParams(), options, token, port))
        except RuntimeError as error:
            sys.stderr.write(f"port {port}: {error}\n")
    raise Refusal(f"The model file {options.model.name} cannot be loaded.")


def _parameters(parameters: Any, options: argparse.Namespace, token: str, port: int) -> Any:
    parameters.model.path = str(options.model)
    parameters.model_alias = {options.alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = port
    parameters.api_keys = [token]
    # The default lets any web page use the model.
    parameters.cors_origins, parameters.cors_origins_explicit = "http://127.0.0.1", True
    parameters.n_ctx, parameters.n_parallel, parameters.kv_unified = options.context, 2, True
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = options.threads
    # A request that names no limit must not run until the context is full.
    parameters.n_predict = 512
    parameters.cache_ram_mib, parameters.cache_idle_slots, parameters.n_threads_http = 0, False, 4
    parameters.fit_params, parameters.ui = False, False
    parameters.verbosity = 2
    sampling = parameters.sampling
    sampling.temp, sampling.penalty_repeat, sampling.penalty_last_n = 0.2, 1.08, 256
    return parameters


if __name__ == "__main__":
    main()
