"""The commands `run`, `logs`, `stop`, `validate`, `import` and `export` against a real server."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crewai_runner.cli import main
from tests.operations.test_process import command
from tests.support.scripted_provider import Fail, Hold, Say, ScriptedProvider
from tests.support.server_process import API_KEY, TWO_TASKS, ServerProcess

pytestmark = [pytest.mark.process, pytest.mark.crew, pytest.mark.timeout(180)]

PROVIDER_KEY = "sk-canary-of-the-provider-0123456789"
ONE_TASK = TWO_TASKS.split("  report:")[0] + "inputs:\n  topic: {type: string, default: tea}\n"
REVIEWED = ONE_TASK.replace("agent: researcher}", "agent: researcher, human_input: true}")


@pytest.fixture(scope="module")
def provider() -> Iterator[ScriptedProvider]:
    with ScriptedProvider() as scripted:
        scripted.on(Fail(401, "Wrong key"), last_contains="about failure")
        scripted.on(Fail(401, "Wrong key"), last_contains="on failure")
        scripted.on(Hold("never", Say("x")), last_contains="on silence")
        yield scripted


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, provider: ScriptedProvider) -> Iterator[ServerProcess]:
    process = ServerProcess(tmp_path_factory.mktemp("run") / "data", ALLOW_PRIVATE_HOSTS="true").start()
    with process.client() as client:
        client.register_provider(provider.base_url, key=PROVIDER_KEY)
    yield process
    process.stop()


Call = Callable[..., int]


@pytest.fixture
def call(server: ServerProcess, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run a command in this process against the server, in a folder with documents."""
    monkeypatch.setenv("CREWAI_RUNNER_URL", server.url)
    monkeypatch.setenv("CREWAI_RUNNER_API_KEY", API_KEY)
    for name, text in {
        "crew.yaml": ONE_TASK,
        "reviewed.yaml": REVIEWED,
        "bad.yaml": "name: x\n",
        "wrong.json": '{"topic": [1]}',
    }.items():
        (tmp_path / name).write_text(text)
    return lambda *arguments: main([*arguments])


class TestExitCodes:
    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["crew.yaml", "--wait"], 0),
            (["crew.yaml", "--wait", "--input", "topic=failure"], 1),
            (["crew.yaml", "--wait", "--input", "topic"], 1),
            (["crew.yaml", "--timeout", "1", "--input", "topic=silence"], 4),
            (["reviewed.yaml", "--wait"], 5),
            (["bad.yaml", "--wait"], 6),
            (["crew.yaml", "--wait", "--input-file", "wrong.json"], 6),
            (["no-such-workflow"], 1),
            (["crew.yaml", "--server", "http://127.0.0.1:9"], 7),
        ],
        ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
    )
    def test_name_the_outcome(
        self, call: Call, arguments: list[str], code: int, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert call("run", *arguments) == code

        printed = capsys.readouterr()
        assert "canary" not in printed.out + printed.err
        assert code == 0 or printed.err != ""

    def test_of_a_run_that_someone_stops(
        self, call: Call, provider: ScriptedProvider, capsys: pytest.CaptureFixture[str]
    ) -> None:
        before = len(provider.requests)
        assert call("run", "crew.yaml", "--input", "topic=silence") == 0
        run_id = capsys.readouterr().out.strip()
        provider.wait_for_requests(before + 1, timeout=60)

        assert call("stop", run_id) == 0
        assert capsys.readouterr().out.strip() == "stopped"
        assert call("logs", run_id) == 3
        assert "Stopped" in capsys.readouterr().out


class TestOutput:
    def test_the_result_and_nothing_else_goes_to_standard_output(
        self, call: Call, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (tmp_path / "inputs.json").write_text('{"topic": "honey"}')

        assert call("run", "crew.yaml", "--wait", "--json", "--input-file", "inputs.json") == 0

        printed = capsys.readouterr()
        run = json.loads(printed.out)
        assert (run["status"], run["inputs"]) == ("completed", {"topic": "honey"})
        assert "research: completed" in printed.err

    def test_validate_names_line_and_column(self, call: Call, capsys: pytest.CaptureFixture[str]) -> None:
        assert call("validate", "crew.yaml") == 0
        assert call("validate", "bad.yaml") == 6
        assert "bad.yaml:1:1: error: " in capsys.readouterr().out

    def test_import_run_by_slug_and_export(self, call: Call, capsys: pytest.CaptureFixture[str]) -> None:
        assert call("import", "crew.yaml") == 0
        assert call("run", "two-tasks", "--wait") == 0
        capsys.readouterr()

        assert call("export", "two-tasks") == 0
        assert capsys.readouterr().out == ONE_TASK


def test_without_a_server_one_is_started_for_the_run(provider: ScriptedProvider, tmp_path: Path) -> None:
    """With the models that the data folder knows."""
    data = tmp_path / "data"
    process = ServerProcess(data, ALLOW_PRIVATE_HOSTS="true").start()
    with process.client() as client:
        client.register_provider(provider.base_url, key=PROVIDER_KEY)
    process.stop()
    (tmp_path / "crew.yaml").write_text(ONE_TASK)
    variables = {"DATA_DIR": str(data), "API_PORT": "9", "ALLOW_PRIVATE_HOSTS": "true"}

    done = command("run", tmp_path / "crew.yaml", **variables)

    assert (done.returncode, "canary" in done.stdout + done.stderr) == (0, False), done.stderr
    assert done.stdout.startswith("Answer")
