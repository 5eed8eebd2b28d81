"""Run as a program: reads hostile documents and prints what the interpreter was asked to do meanwhile."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from crewai_runner.domain.workflow_yaml.crewai_import import (
    NotACrewProject,
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.document import parse, parse_value
from crewai_runner.domain.workflow_yaml.json_schema import json_schema
from crewai_runner.domain.workflow_yaml.serialisation import dump, to_mapping
from tests.domain.workflow_yaml.documents import NATIVE, marked
from tests.domain.workflow_yaml.findings import ERRORS

LOUD = ("import", "open", "os.", "subprocess.", "socket.", "shutil.", "exec", "compile", "ctypes.", "urllib.")
heard: list[str] = []
ears: set[str] = set()  # holds something while the probe listens: a hook cannot be taken out again


def hear(event: str, _details: tuple[object, ...]) -> None:
    if ears and event.startswith(LOUD):
        heard.append(event)


def read_everything(module: str) -> None:
    """Reads every document that is refused, with another module where it names `os`."""
    for _, _, document in ERRORS:
        text = marked(document)[0].replace("os:", f"{module}:").replace("os.", f"{module}.")
        parse(text)
        parse_value({"agents": {"a": {"tools": [text], "mcps": [{"command": text}]}}})
        for read in (lambda text=text: from_crewai_files(text, text), lambda text=text: _project(text)):
            try:
                read()
            except NotACrewProject:
                continue


def _project(text: str) -> str:
    agent = '{"role": "r", "goal": "g", "backstory": "b", "type": {"python": "probe_me.Agent"}}'
    files = {"crew.jsonc": '{"agents": ["x"], "tasks": []}', "agents/x.jsonc": agent, "crew.py": text}
    return from_crewai_project(files)


def misbehave() -> None:
    import colorsys  # noqa: F401
    import socket
    import subprocess

    socket.socket().close()
    subprocess.run([sys.executable, "-c", ""], check=False)
    Path(__file__).read_text()
    exec("1")


def main() -> int:
    parsed = parse(NATIVE)
    assert parsed.definition is not None
    json_schema()
    dump(to_mapping(parsed.definition))
    read_everything("os")  # once unheard: what the libraries load of their own, they load now
    sys.addaudithook(hear)
    ears.add("open")
    if sys.argv[1:]:
        misbehave()
    else:
        read_everything("colorsys")  # loaded by nobody yet, so that its import would be heard
    ears.clear()
    print("loud" if heard else "quiet", *(sorted(set(heard)) if heard else [len(ERRORS)]))
    return 1 if heard else 0


if __name__ == "__main__":
    sys.exit(main())
