"""Inspection of hostile and broken files; ordinary projects are in tests/projects."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crewai_runner.domain.project_inspection.dependencies import read_dependencies
from crewai_runner.domain.project_inspection.entry_points import MAX_ENTRY_POINTS
from crewai_runner.domain.project_inspection.inspection import inspect_project

CREW = "from crewai import Crew\ncrew = Crew(agents=[], tasks=[])\n"
PATHS = (
    *("main.py", "crew.jsonc", "pyproject.toml", "requirements.txt", "uv.lock"),
    *("setup.py", "setup.cfg", "Pipfile", ".env.example"),
)


class TestInspectProject:
    def test_no_files(self) -> None:
        inspection = inspect_project({}, "empty")

        assert inspection.name == "empty"
        assert inspection.entry_points == []
        assert "No entry point" in inspection.warnings[0]

    @pytest.mark.parametrize(
        ("files", "missing"),
        [
            ({"main.py": CREW}, ["crewai[tools]"]),
            ({"main.py": f"{CREW}llm = 'claude-3-5-sonnet'\n"}, ["crewai[tools]", "crewai[anthropic]"]),
            ({"crew.jsonc": '{"agents": []}'}, ["crewai[tools]"]),
            ({"main.py": "import requests\nllm = 'claude-3-5-sonnet'\n"}, []),
        ],
    )
    def test_nothing_is_declared(self, files: dict[str, str], missing: list[str]) -> None:
        inspection = inspect_project({path: text.encode() for path, text in files.items()})

        assert inspection.missing_packages == missing
        [warning] = [one for one in inspection.warnings if "declares no dependencies" in one]
        assert ("only `crewai[tools]" in warning) == bool(missing)

    @pytest.mark.parametrize(
        ("text", "requirements"),
        [
            ('[dependency-groups]\nlint = ["ruff"]\nai = ["crewai==1.2"]', ["idna", "crewai==1.2"]),
            ('[project.optional-dependencies]\nai = ["crewai==1.2"]', ["idna", "crewai==1.2"]),
            ('[tool.uv]\ndev-dependencies = ["crewai==1.2"]', ["idna", "crewai==1.2"]),
            ('[tool.poetry.group.ai.dependencies]\ncrewai = "1.2"', ["idna", "crewai==1.2"]),
            ('[dependency-groups]\nlint = ["ruff"]', ["idna"]),
            ('[dependency-groups]\n"--index-url=https://x" = ["crewai==1.2"]', ["idna"]),
        ],
    )
    def test_group_that_has_crewai_is_used(self, text: str, requirements: list[str]) -> None:
        found = read_dependencies({"pyproject.toml": f'[project]\ndependencies = ["idna"]\n{text}\n'})

        assert list(found.requirements) == requirements

    @pytest.mark.parametrize(
        ("end", "first"),
        [
            ("if __name__ == '__main__':\n    st.title('Letters')\n", "write"),
            ("st.title('Letters')\n", "write"),
            ("gr.Interface(write).launch()\n", None),
            ("uvicorn.run(app)\n", None),
        ],
    )
    def test_function_beside_a_user_interface(self, end: str, first: str | None) -> None:
        """It is called instead of showing the pages, unless importing the file shows them."""
        code = f"import streamlit as st\n{CREW}def write(topic: str):\n    return crew.kickoff()\n{end}"

        inspection = inspect_project({"app.py": code.encode()})

        names = [entry.name for entry in inspection.entry_points]
        assert names[-1] is None
        assert ("write" in names) == (first is not None)
        if first is not None:
            assert set(names) == {"crew", "write", None}

    @pytest.mark.parametrize("inner", ["[project]\nname = 'x'\ndependencies = []\n", "[build-system]\n"])
    def test_folder_without_requirements_has_those_above_it(self, inner: str) -> None:
        texts = {"app/pyproject.toml": inner, "requirements.txt": "crewai==0.95\n./lib\n"}

        found = read_dependencies(texts, "app")

        assert (found.requirements, found.folders) == (("crewai==0.95",), ("lib",))
        assert found.source == "requirements.txt"

    @pytest.mark.parametrize(("code", "missing"), [(CREW, ["crewai[tools]"]), ("import idna\n", [])])
    def test_crewai_is_added_only_to_code_that_uses_it(self, code: str, missing: list[str]) -> None:
        inspection = inspect_project({"main.py": code.encode(), "requirements.txt": b"idna==3.10\n"})

        assert inspection.missing_packages == missing
        assert any("imports CrewAI" in warning for warning in inspection.warnings) == bool(missing)

    @given(st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=30)))
    def test_any_content_is_inspected(self, files: dict[str, bytes]) -> None:
        inspect_project(files)

    @pytest.mark.parametrize(
        ("path", "content"),
        [
            ("main.py", b"x = " + b"(" * 50_000),
            ("main.py", b"x = " + b"-" * 50_000 + b"1"),
            ("main.py", b"inputs = {'a': inputs}\nCrew().kickoff(inputs=inputs)\nimport crewai"),
            ("main.py", b"from crewai import Crew\n" + b"os.getenv('A')\n" * 8_000),
            ("pyproject.toml", b"a." * 40_000 + b"b = 1"),
            ("setup.cfg", b"[options]\na" + b" " * 60_000 + b"b\n"),
            ("setup.cfg", b"[options]\n" + (b"a" + b" " * 480 + b"b\n") * 120),
            ("requirements.txt", b"-r a.txt\n" * 20_000),
            ("pyproject.toml", b"[" * 40_000),
            (
                "pyproject.toml",
                b'[project]\nname = 1\nscripts = {a = 1}\ndependencies = "x"\n[tool]\nuv = 1\npoetry = 1',
            ),
            ("requirements.txt", b"-r requirements.txt\ncrewai\n" * 100),
            ("requirements.txt", b"crewai" + b"[" * 100_000),
            ("crew.jsonc", b"[" * 100_000),
            ("config/agents.yaml", b"a: &a [*a, *a]\n"),
            (".env.example", b"\0" * 100_000),
        ],
    )
    def test_hostile_file_is_harmless(self, path: str, content: bytes) -> None:
        started = time.process_time()

        inspect_project({path: content, "a.py": CREW.encode()})

        assert time.process_time() - started < 5

    def test_modules_that_import_each_other(self) -> None:
        files = {
            "a.py": b"import b\nimport crewai",
            "b.py": b"from a import *\nfrom . import c",
            "c.py": b"import a",
        }

        assert inspect_project(files).entry_points == []

    def test_secrets_of_an_example_are_not_shown(self) -> None:
        files = {".env.example": b"API_KEY=canary\nOPENAI_MODEL=gpt-4o\n", "main.py": CREW.encode()}

        assert "canary" not in inspect_project(files).model_dump_json()

    def test_types_of_parameters_without_annotations(self) -> None:
        code = (
            "from crewai import Crew\n"
            "def run_search(choice, topic='tea', limit=5, tags=[], note=None, mode: str = 'fast'):\n"
            "    Crew(agents=[], tasks=[]).kickoff()\n"
        )

        inspection = inspect_project({"requirements.txt": b"crewai\n", "src/crew.py": code.encode()})

        assert {one.name: (one.type.value, one.default, one.required) for one in inspection.inputs} == {
            "choice": ("any", None, True),
            "topic": ("string", "tea", False),
            "limit": ("integer", 5, False),
            "tags": ("array", [], False),
            "note": ("any", None, False),
            "mode": ("string", "fast", False),
        }

    @pytest.mark.parametrize(
        ("code", "files", "folder"),
        [
            ("open('config/texts.yaml')\n", ("src/config/texts.yaml",), "src"),
            ("open('config/texts.yaml')\n", ("src/config/texts.yaml", "config/texts.yaml"), "."),
            ("open('missing.yaml')\n", ("src/config/texts.yaml",), "."),
            ("open('out.txt', 'w')\nopen('out.txt')\n", ("src/out.txt",), "."),
            ("from .words import WORD\nopen('texts.yaml')\n", ("src/texts.yaml", "src/words.py"), "."),
            (
                "class Texts:\n    path = 'texts.yaml'\n    def read(self):\n        open(self.path)\n",
                ("src/texts.yaml",),
                "src",
            ),
        ],
    )
    def test_code_starts_where_its_files_are(self, code: str, files: tuple[str, ...], folder: str) -> None:
        """Files that it writes, and those of the project's folder, keep it there."""
        texts = {"requirements.txt": "crewai\n", "src/main.py": f"{CREW}{code}crew.kickoff()\n"}

        inspection = inspect_project({p: t.encode() for p, t in (texts | dict.fromkeys(files, "")).items()})

        assert inspection.entry_points[0].working_directory == folder
        assert inspection.working_directory == "."


class TestReadDependencies:
    @pytest.mark.parametrize(
        ("written", "meant"),
        [
            ("^1.2.3", ">=1.2.3,<2"),
            ("^0.86.0", ">=0.86.0,<0.87"),
            ("~0.95", ">=0.95,<0.96"),
            ("*", ""),
            ("1.0", "==1.0"),
        ],
    )
    def test_versions_of_poetry(self, written: str, meant: str) -> None:
        text = f'[tool.poetry.dependencies]\ncrewai = "{written}"\n'
        requirement = read_dependencies({"pyproject.toml": text}).find("crewai")

        assert requirement is not None
        assert sorted(str(requirement.specifier).split(",")) == sorted(meant.split(","))

    def test_address_with_password_is_not_kept(self) -> None:
        found = read_dependencies(
            {"requirements.txt": "crewai @ git+https://user:canary@example.com/x.git\n"}
        )

        assert found.requirements == ("crewai",)
        assert "canary" not in repr(found)

    def test_setup_config(self) -> None:
        text = (
            "[metadata]\nname = quiz\n[options]\npackage_dir =\n    = lib\npython_requires = >=3.11\n"
            "install_requires =\n    crewai==0.102.0  # pinned\n    # rich\n    requests\n"
            "[options.entry_points]\nconsole_scripts =\n    quiz = quiz.cli:main\n"
        )
        found = read_dependencies({"setup.cfg": text})

        assert (found.name, found.python, found.source) == ("quiz", ">=3.11", "setup.cfg")
        assert found.requirements == ("crewai==0.102.0", "requests")
        assert (found.scripts, found.package_folders) == ({"quiz": "quiz.cli:main"}, ("lib",))

    def test_setup_code(self) -> None:
        text = (
            "from setuptools import setup\nNEEDS = ['crewai']\n"
            "setup(name='quiz', install_requires=NEEDS, package_dir={'': 'lib'}, version=read(),"
            " entry_points={'console_scripts': ['quiz = quiz.cli:main']})\n"
        )
        found = read_dependencies({"setup.py": text})

        assert (found.name, found.requirements) == ("quiz", ("crewai",))
        assert (found.scripts, found.package_folders) == ({"quiz": "quiz.cli:main"}, ("lib",))

    def test_included_files(self) -> None:
        texts = {
            "requirements.txt": "-r deps/base.txt\n--requirement=missing.txt\n-rextra.txt\n",
            "deps/base.txt": "crewai==1.9.3\n-r ../requirements.txt\n-r more.txt\n",
            "deps/more.txt": "rich\n",
            "extra.txt": "idna\n",
        }
        found = read_dependencies(texts)

        assert set(found.requirements) == {"crewai==1.9.3", "idna", "rich"}
        assert found.ignored == ("--requirement=missing.txt",)

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("requirements.txt", "mytool @ git+https://user:canary@example.com/x.git\n"),
            ("requirements.txt", "git+https://canary@example.com/org/mytool.git@main\n"),
            ("requirements.txt", "-e git+ssh://git@example.com/canary/x.git#egg=mytool\n"),
            ("pyproject.toml", '[tool.poetry.dependencies]\nmytool = {git = "https://canary.com/x.git"}\n'),
            (
                "pyproject.toml",
                (
                    '[project]\ndependencies = ["mytool"]\n'
                    '[tool.uv.sources]\nmytool = {git = "https://canary@x.com/x.git"}\n'
                ),
            ),
        ],
    )
    def test_repository_is_no_package_of_the_index(self, path: str, text: str) -> None:
        """The index may have another package of that name."""
        found = read_dependencies({path: text})

        assert (found.requirements, found.unavailable) == ((), ("mytool",))
        assert "canary" not in repr(found)

    def test_import_of_a_package_in_a_repository_adds_none_of_the_index(self) -> None:
        files = {
            "requirements.txt": "crewai==0.102.0\nredis @ git+https://example.com/redis.git\n",
            "main.py": f"{CREW}import redis, tweepy\n",
        }

        found = inspect_project({path: text.encode() for path, text in files.items()})
        assert found.missing_packages == ["tweepy"]

    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("app/requirements.txt", "./../libs/mylib\n"),
            ("app/requirements.txt", "-e ../libs/mylib[extra]\n"),
            ("app/pyproject.toml", '[tool.poetry.dependencies]\nmylib = {path = "../libs/mylib"}\n'),
            (
                "app/pyproject.toml",
                '[project]\ndependencies = ["MyLib"]\n[tool.uv.sources]\nmylib = {workspace = true}\n',
            ),
        ],
    )
    def test_folder_of_the_project_adds_what_it_requires(self, path: str, text: str) -> None:
        library = '[project]\nname = "mylib"\ndependencies = ["rich>=13", "gone @ https://x.com/y.whl"]\n'

        found = read_dependencies({path: text, "libs/mylib/pyproject.toml": library}, "app")

        assert found.folders == ("libs/mylib",)
        assert (found.requirements, found.unavailable) == (("rich>=13",), ("gone",))

    def test_folders_that_require_each_other_or_lead_outside(self) -> None:
        texts = {"requirements.txt": "-e .\n./a\n../out\n", "a/requirements.txt": "..\n./b\nrich\n"}

        found = read_dependencies(texts)

        assert (found.folders, found.requirements) == (("a", "a/b"), ("rich",))
        assert found.unavailable == ("the folder ../out",)

    def test_hashes_and_comments_are_removed(self) -> None:
        text = "crewai==0.86.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb  # pinned\n"

        assert read_dependencies({"requirements.txt": text}).requirements == ("crewai==0.86.0",)


@pytest.mark.timeout(30)
def test_many_kickoffs_take_linear_time() -> None:
    """Looking for the names around each call took minutes."""
    code = "".join(f"def f{number}(a): x.kickoff()\n" for number in range(4_000))

    inspection = inspect_project({"main.py": f"from crewai import Crew\n{code}".encode()})

    assert len(inspection.entry_points) == MAX_ENTRY_POINTS


GUARD = "if __name__ == '__main__':\n    print(1)\n"
SCRIPT = "import json\nprint(json.dumps([]))\n"


class TestPlainScripts:
    """Projects in which no code uses CrewAI."""

    @pytest.mark.parametrize(
        ("files", "entry"),
        [
            ({"main.py": SCRIPT}, "main.py"),
            ({"app.py": "def main():\n    pass\n"}, "app.py:main"),
            ({"report.py": f"import json\n{GUARD}"}, "report.py"),
            ({"main.py": SCRIPT, "helper.py": GUARD}, "main.py"),
            ({"tests/test_x.py": GUARD}, None),
            ({"helper.py": "def f(x):\n    return x\n"}, None),
            ({"tool.py": GUARD, "crew.py": CREW}, "crew.py:crew"),
        ],
    )
    def test_script_is_the_entry_point(self, files: dict[str, str], entry: str | None) -> None:
        inspection = inspect_project({path: text.encode() for path, text in files.items()})

        first = next(iter(inspection.entry_points), None)
        found = None if first is None else f"{first.path}:{first.name}" if first.name else first.path
        assert found == entry
        assert not any("starts nothing" in warning for warning in inspection.warnings)

    @pytest.mark.parametrize(("code", "count"), [(SCRIPT, 0), (f"import helper, requests\n{SCRIPT}", 1)])
    def test_only_packages_must_be_declared(self, code: str, count: int) -> None:
        files = {"main.py": code.encode(), "helper.py": b"x = 1\n"}

        warnings = inspect_project(files).warnings

        assert len(warnings) == count
        assert all("`requests`" in warning and "helper" not in warning for warning in warnings)


class TestOwnPackages:
    @pytest.mark.parametrize(
        ("path", "text"),
        [
            ("setup.py", "from setuptools import setup\nsetup(ext_modules=[x])\n"),
            ("pyproject.toml", '[build-system]\nrequires = []\nbuild-backend = "maturin"\n'),
            ("pyproject.toml", "[tool.hatch.build.hooks.vcs]\nversion-file = 'v.py'\n"),
            ("pyproject.toml", "[tool.poetry.build]\nscript = 'build.py'\n"),
        ],
    )
    def test_build_scripts_are_found(self, path: str, text: str) -> None:
        inspection = inspect_project({path: text.encode(), "main.py": CREW.encode()})

        assert inspection.compiled_folders == ["."]

    @pytest.mark.parametrize(
        ("code", "own"), [("version('My-Crew')", "my-crew==1.2"), ("version('crewai')", None)]
    )
    def test_version_that_the_code_reads(self, code: str, own: str | None) -> None:
        files = {
            "pyproject.toml": "[project]\nname = 'my_crew'\nversion = '1.2'\ndependencies = ['crewai']\n",
            "main.py": f"{CREW}from importlib.metadata import version\n{code}\n",
        }

        inspection = inspect_project({path: text.encode() for path, text in files.items()})

        assert (inspection.own_package, inspection.compiled_folders) == (own, [])
