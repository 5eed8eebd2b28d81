"""A program that parses hostile documents and prints the audit events of the interpreter meanwhile."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from crewai_runner.domain.workflow_yaml.crewai_files import NotACrewProject
from crewai_runner.domain.workflow_yaml.crewai_import import (
    from_crewai_files,
    from_crewai_project,
)
from crewai_runner.domain.workflow_yaml.document import parse, parse_value
from crewai_runner.domain.workflow_yaml.imported_document import ImportedDocument
from crewai_runner.domain.workflow_yaml.json_schema import json_schema
from crewai_runner.domain.workflow_yaml.serialisation import dump, to_mapping
from tests.domain.workflow_yaml.documents import MAPPING_FORMAT, marked
from tests.domain.workflow_yaml.findings import ERRORS

AUDITED = (
    "import",
    "open",
    "os.",
    "subprocess.",
    "socket.",
    "shutil.",
    "exec",
    "compile",
    "ctypes.",
    "urllib.",
)
events: list[str] = []
recording: set[str] = set()  # not empty while events are recorded; an audit hook cannot be removed


def record(event: str, details: tuple[object, ...]) -> None:
    # `ast.parse` compiles no code, but is reported so; for a syntax error it looks for a file "<unknown>".
    is_parsing = event in ("compile", "open") and "<unknown>" in details[:2]
    if recording and event.startswith(AUDITED) and not is_parsing:
        events.append(event)


def read_everything(module: str) -> None:
    """Parse every invalid document, with another module in place of `os`."""
    for _, _, document in ERRORS:
        text = marked(document)[0].replace("os:", f"{module}:").replace("os.", f"{module}.")
        parse(text)
        parse_value({"agents": {"a": {"tools": [text], "mcps": [{"command": text}]}}})
        for read in (lambda text=text: from_crewai_files(text, text), lambda text=text: _project(text)):
            try:
                read()
            except NotACrewProject:
                continue


def _project(text: str) -> list[ImportedDocument]:
    agent = '{"role": "r", "goal": "g", "backstory": "b", "type": {"python": "probe_me.Agent"}}'
    files = {"crew.jsonc": '{"agents": ["x"], "tasks": []}', "agents/x.jsonc": agent, "crew.py": text}
    return from_crewai_project(files).documents


def misbehave() -> None:
    import colorsys  # noqa: F401
    import socket
    import subprocess

    socket.socket().close()
    subprocess.run([sys.executable, "-c", ""], check=False)
    Path(__file__).read_text()
    exec("1")


def main() -> int:
    parsed = parse(MAPPING_FORMAT)
    assert parsed.definition is not None
    json_schema()
    dump(to_mapping(parsed.definition))
    read_everything("os")  # once without recording: libraries load their own modules now
    sys.addaudithook(record)
    recording.add("on")
    if sys.argv[1:]:
        misbehave()
    else:
        read_everything("colorsys")  # not imported yet, so that its import would be recorded
    recording.clear()
    print("events" if events else "quiet", *(sorted(set(events)) if events else [len(ERRORS)]))
    return 1 if events else 0


if __name__ == "__main__":
    sys.exit(main())
