"""The guest's side of the bridge with the installed crewai, in child processes."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from crewai_runner.domain.project import EntryPoint, ProjectKind
from crewai_runner.executor.projects.bridge.messages import FinishedTask
from tests.executor.projects.bridge.guest_process import CREW, Guest, reply_to_sample
from tests.executor.projects.bridge.sample_checks import (
    check_langchain_model,
    check_reviewed_run,
    check_saved_flow,
)
from tests.support.scripted_provider import ScriptedProvider

MAIN = "src/sample/main.py"


def function(name: str | None, path: str = MAIN) -> EntryPoint:
    return EntryPoint(kind=ProjectKind.SCRIPT, path=path, name=name)


@pytest.fixture
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as provider:
        provider.on(reply_to_sample)
        yield provider


@pytest.fixture
def guest(tmp_path: Path, provider: ScriptedProvider) -> Guest:
    return Guest(tmp_path, provider.url)


@pytest.mark.crew
class TestCrew:
    async def test_tasks_tools_and_reviews(self, guest: Guest, provider: ScriptedProvider) -> None:
        run = await guest.run(CREW, {"topic": "whales"}, ["make it shorter", ""])

        check_reviewed_run(run)
        assert {request.path for request in provider.requests} == {"/_h/api.openai.com/v1/chat/completions"}
        assert {request.api_key for request in provider.requests} == {"run-token"}
        assert (guest.folder / "note.md").read_text() == "The short note."

    async def test_finished_tasks_are_restored(self, guest: Guest, provider: ScriptedProvider) -> None:
        """`run` passes its own inputs, which the run's inputs override."""
        text = "Research the topic whales with the tool.\0Facts"
        stored = FinishedTask(
            task_key="research",
            description_hash=hashlib.sha256(text.encode()).hexdigest(),
            agent="Researcher",
            raw="Stored facts.",
        )
        changed = stored.model_copy(update={"task_key": "note", "description_hash": "0" * 64})

        run = await guest.run(function("run"), {"topic": "whales"}, [""], [stored, changed])

        assert [event.type for event in run.events if event.type.startswith("task.")] == [
            "task.reused",
            "task.started",
            "task.completed",
        ]
        assert len(provider.requests) == 1
        assert "Stored facts." in provider.requests[0].text
        assert run.server.result is not None
        assert run.server.result.model_dump()["raw"] == "The first note."

    async def test_a_flow_begins_with_its_saved_state(self, guest: Guest) -> None:
        await check_saved_flow(guest)


@pytest.mark.crew
async def test_models_of_langchain(tmp_path: Path, provider: ScriptedProvider) -> None:
    await check_langchain_model(Guest(tmp_path, provider.url, project=tmp_path), provider)


_CLIENTS = """
import asyncio, os
import aiohttp, httpx, requests

def run():
    async def call():
        async with aiohttp.ClientSession() as session:
            async with session.get("https://api.groq.com/openai/v1/models?n=3") as response:
                await response.read()
        async with httpx.AsyncClient() as client:
            await client.get("https://api.mistral.ai/v1/models")

    own = {"Authorization": "Bearer written-in-the-code"}
    requests.get("https://api.openai.com/v1/models", headers=own).raise_for_status()
    httpx.get(os.environ["OLLAMA_HOST"] + "/v1/models").raise_for_status()
    httpx.get("http://localhost:11434/v1/models").raise_for_status()
    asyncio.run(call())
"""


async def test_model_clients_reach_the_gateway(tmp_path: Path, provider: ScriptedProvider) -> None:
    """No proxy is reachable: a request that is not redirected fails."""
    (tmp_path / "clients.py").write_text(_CLIENTS)

    run = await Guest(tmp_path, provider.url, project=tmp_path).run(function("run", "clients.py"))

    assert run.exit_code == 0, run.output
    assert [request.path.partition("?")[0] for request in provider.other_requests] == [
        "/_h/api.openai.com/v1/models",
        "/_h/localhost:11434/v1/models",
        "/_h/localhost:11434/v1/models",
        "/_h/api.groq.com/openai/v1/models",
        "/_h/api.mistral.ai/v1/models",
    ]
    assert {request.api_key for request in provider.other_requests} == {"run-token"}


_COMMAND_LINES = {
    "argparse": """
import argparse
parser = argparse.ArgumentParser()
plan = parser.add_subparsers(required=True).add_parser("plan")
plan.add_argument("file_name")
plan.add_argument("--days", type=int)
plan.add_argument("-v", "--verbose", action="store_true")
plan.add_argument("--quiet", action="store_true")
plan.add_argument("--places", nargs="+")
given = parser.parse_args()
print(given.file_name, given.days, given.verbose and not given.quiet, given.places)
""",
    "click": """
import click
@click.group()
def cli():
    pass
@cli.command()
@click.argument("file_name")
@click.option("--days", type=int, required=True)
@click.option("-v", "--verbose", is_flag=True)
@click.option("--places", multiple=True)
def plan(file_name, days, verbose, places):
    print(file_name, days, verbose, list(places))
if __name__ == "__main__":
    cli()
""",
}


class TestEntryPoint:
    """Without crewai, a process starts fast."""

    @pytest.fixture
    def guest(self, tmp_path: Path) -> Guest:
        project = tmp_path / "project"
        folder = project / "src" / "sample"
        folder.mkdir(parents=True)
        (folder / "__init__.py").touch()
        (folder / "texts.py").write_text("GREETING = 'Hello'\n")
        (folder / "main.py").write_text(
            "import sys\nfrom .texts import GREETING\n\n"
            "def ask():\n    return GREETING + ' ' + input('Your name: ')\n\n"
            "def greet(name):\n    return {'greeting': f'{GREETING} {name}'}\n\n"
            "def fail():\n    raise ValueError('It fails.')\n\n"
            "def lack():\n    return {}['SHOP_REGION']\n\n"
            "async def later():\n    return 'later'\n\n"
            "if __name__ == '__main__':\n    print('as a file', sys.argv)\n    sys.exit(len(sys.argv) - 1)\n"
        )
        (project / "my-script.py").write_text("import os\n\ndef run():\n    return os.getcwd()\n")
        return Guest(tmp_path, "http://127.0.0.1:9", project=project)

    async def test_terminal_input(self, guest: Guest) -> None:
        run = await guest.run(function("ask"), answers=["Ada"])

        assert run.server.result is not None
        assert run.server.result.model_dump()["raw"] == "Hello Ada"
        assert [(question.kind, question.prompt) for question in run.questions] == [("input", "Your name: ")]

    async def test_modules_are_imported_from_the_folders_that_the_inspection_found(
        self, guest: Guest
    ) -> None:
        for path, text in {
            "service/agents/crew.py": (
                "from agents.texts import A\nfrom plants import B\n\ndef run():\n    return A + B\n"
            ),
            "service/agents/texts.py": "A = 'Hello '\n",
            "lib/plants.py": "B = 'rose'\n",
        }.items():
            (guest.project / path).parent.mkdir(parents=True, exist_ok=True)
            (guest.project / path).write_text(text)
        entry = function("run", "service/agents/crew.py").model_copy(update={"working_directory": "service"})

        run = await guest.run(entry, import_paths=["service", "lib"])

        assert run.server.result is not None
        assert run.server.result.model_dump().get("raw") == "Hello rose", run.output

    async def test_a_crew_that_a_function_builds_is_started(self, guest: Guest) -> None:
        (guest.project / "built.py").write_text(
            "class Crew:\n    def kickoff(self, inputs):\n        return inputs\n\n"
            "def build():\n    return Crew()\n"
        )

        run = await guest.run(function("build", "built.py"), {"topic": "bees"})

        assert run.server.result is not None
        assert run.server.result.model_dump().get("json_output") == {"topic": "bees"}, run.output

    async def test_a_method_of_a_class_is_called_with_arguments(self, guest: Guest) -> None:
        (guest.project / "service.py").write_text(
            "class Service:\n    def __init__(self, language='en'):\n        self.language = language\n\n"
            "    def write(self, topic, lines=3):\n        return f'{self.language} {topic} {lines}'\n"
        )

        run = await guest.run(function("Service.write", "service.py"), {"topic": "bees", "language": "fr"})

        assert run.server.result is not None
        assert run.server.result.model_dump().get("raw") == "fr bees 3", run.output

    @pytest.mark.parametrize("parser", ["argparse", "click"])
    async def test_inputs_are_options_of_the_command_line(self, guest: Guest, parser: str) -> None:
        (guest.project / "tool.py").write_text(_COMMAND_LINES[parser])
        inputs = {"command": "plan", "file_name": "a.txt", "days": 3, "verbose": True, "places": ["x", "y"]}

        run = await guest.run(function(None, "tool.py"), inputs)

        assert "a.txt 3 True ['x', 'y']" in run.output

    async def test_a_result_that_cannot_be_written_is_a_text(self, guest: Guest) -> None:
        (guest.project / "odd.py").write_text(
            "class Odd:\n    def model_dump(self, **options):\n        raise RuntimeError\n"
            "    def __str__(self):\n        return 'odd'\n\ndef run():\n    return Odd()\n"
        )

        run = await guest.run(function("run", "odd.py"))

        assert run.server.result is not None, run.output
        assert run.server.result.model_dump().get("raw") == "odd", run.output

    async def test_input_without_an_answer(self, guest: Guest) -> None:
        run = await guest.run(function("ask"), answers=[None])

        assert run.server.result is not None
        assert run.server.result.model_dump()["error_type"] == "EOFError"

    async def test_arguments_and_structured_result(self, guest: Guest) -> None:
        run = await guest.run(function("greet"), {"name": "Ada"})

        assert run.server.result is not None
        assert run.server.result.model_dump()["json_output"] == {"greeting": "Hello Ada"}

    @pytest.mark.parametrize(
        ("entry", "message"),
        [
            (function("fail"), "It fails."),
            (function("lack"), "KeyError: 'SHOP_REGION'"),
            (function("greet"), "greet() requires an input named name."),
            (function("absent"), "src/sample/main.py has no absent."),
            (function("run", "absent.py"), "The project has no file absent.py."),
            (function("GREETING", "src/sample/texts.py"), "A str cannot be run"),
        ],
    )
    async def test_failures(self, guest: Guest, entry: EntryPoint, message: str) -> None:
        run = await guest.run(entry)

        assert run.exit_code == 1
        assert run.server.result is not None
        assert message in run.server.result.model_dump()["message"]

    async def test_a_file_with_relative_imports(self, guest: Guest) -> None:
        run = await guest.run(function(None))

        assert (run.exit_code, run.server.result and run.server.result.type) == (0, "entry.completed")
        assert "as a file" in run.output

    async def test_a_coroutine(self, guest: Guest) -> None:
        run = await guest.run(function("later"))

        assert run.server.result is not None
        assert run.server.result.model_dump()["raw"] == "later"

    async def test_a_file_whose_name_is_no_module_name(self, guest: Guest) -> None:
        run = await guest.run(function("run", "my-script.py"))

        assert run.server.result is not None
        assert run.server.result.model_dump()["raw"] == str(guest.folder)
