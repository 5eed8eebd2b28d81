"""Runs the entry point of the project that the host's start message names."""

import ast
import asyncio
import importlib
import importlib.util
import inspect
import os
import runpy
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from .channel import channel
from .command_line import command_line
from .json_values import read_output, to_text
from .kickoff_patches import passed_names, results

PROJECT_FOLDER = Path(os.environ.get("CREWAI_RUNNER_PROJECT", "/project"))
OWN_PACKAGES = [folder for folder in [Path(sys.prefix, "own")] if folder.is_dir()]
"""Modules of the project that a build has completed; their source lacks what was compiled."""


class EntryError(Exception):
    """The entry point cannot be run."""


def main() -> None:
    """Run the entry point, send its result or failure, and exit."""
    start = channel.start()
    if not start:
        sys.exit("The runner did not send a start message.")
    try:
        output = run_entry(start["entry"], start.get("inputs") or {}, start.get("import_paths") or ())
    except SystemExit as error:
        if error.code not in (None, 0):
            _fail(f"The project ended with exit code {error.code}.", "SystemExit")
        output = None
    except BaseException as error:  # noqa: BLE001 -- every failure is reported
        traceback.print_exc()
        _fail(_describe(error), type(error).__name__)
    raw, structured = read_output(_choose_result(output))
    channel.send("entry.completed", raw=raw, json_output=structured)


def _fail(message: str, error_type: str) -> None:
    channel.send("entry.failed", message=to_text(message, 8000), error_type=error_type)
    sys.exit(1)


def _describe(error: BaseException) -> str:
    """Return the message of an error, with its type where it is one word: a `KeyError` is only its key."""
    text, name = str(error), type(error).__name__
    if not text:
        return name
    return text if " " in text else f"{name}: {text}"


def _choose_result(output: Any) -> Any:
    """Return what the entry point returned, or else what its last kickoff did: `run()` often returns None."""
    last = results.find_last() if output is None else output
    return "" if last is None else last


def run_entry(entry: dict[str, Any], inputs: dict[str, Any], import_paths: Sequence[str] = ()) -> Any:
    """Run a crew file, a script, or the function, class or object of a file. Returns its output."""
    path = PROJECT_FOLDER / entry["path"]
    if not path.is_file():
        raise EntryError(f"The project has no file {entry['path']}.")
    root = PROJECT_FOLDER / entry.get("working_directory", ".")
    found = (PROJECT_FOLDER / folder for folder in import_paths)
    # In place of the working directory, which `python -m` puts first.
    folders = (*OWN_PACKAGES, root, root / "src", path.parent, *found, PROJECT_FOLDER)
    sys.path[:1] = list(dict.fromkeys(map(str, folders)))
    command_line.start(str(path), inputs)
    if path.suffix in (".json", ".jsonc"):
        return _run_crew_file(path, inputs)
    name = entry.get("name")
    if not name:
        _run_file(path, root)
        return None
    return _resolve(_call(_find_target(import_file(path, root), entry, inputs), inputs))


def _find_target(module: ModuleType, entry: dict[str, Any], inputs: dict[str, Any]) -> Any:
    """Return what a module has under a name; `Class.method` is a method of a new instance."""
    name = entry["name"]
    first, _, method = name.partition(".")
    target = getattr(module, first, None)
    if target is not None and method:
        target = getattr(_construct(target, inputs), method, None)
    if target is None:
        raise EntryError(f"{entry['path']} has no {name}.")
    return target


def _run_crew_file(path: Path, inputs: dict[str, Any]) -> Any:
    project = importlib.import_module("crewai.project")
    load = getattr(project, "load_crew", None)
    if load is None:
        version = getattr(sys.modules["crewai"], "__version__", "")
        raise EntryError(f"crewai {version} cannot read {path.name}: require a newer version.")
    crew, defaults = load(path)
    return crew.kickoff(inputs={**(defaults or {}), **inputs})


def _run_file(path: Path, root: Path) -> None:
    """Run a file as `__main__`, as a module of its package if it has relative imports."""
    tree = ast.parse(path.read_bytes())
    is_relative = any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))
    name = _find_module_name(path, root) if is_relative else None
    if name is not None and "." in name:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    else:
        runpy.run_path(str(path), run_name="__main__")


def import_file(path: Path, root: Path) -> ModuleType:
    """Import a file under its package's name, so that its relative imports work."""
    name = _find_module_name(path, root)
    if name is not None and "." not in name and path.parent != PROJECT_FOLDER and _imports_neighbours(path):
        # Its folder is the package, also where it is `src`: what imports it says `from src.crew`.
        sys.path.append(str(path.parent.parent))
        name = path.parent.name + "." + name
    if name is not None and name not in sys.stdlib_module_names:
        module = importlib.import_module(name)
        if module.__file__ and Path(module.__file__).resolve() == path.resolve():
            return module
    spec = importlib.util.spec_from_file_location(f"project_{path.stem}".replace("-", "_"), path)
    if spec is None or spec.loader is None:
        raise EntryError(f"{path.name} is not a Python file.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _imports_neighbours(path: Path) -> bool:
    """Return whether a file has relative imports."""
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return False
    return any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


def _find_module_name(path: Path, root: Path) -> str | None:
    """Return the dotted name of a file below `src` in its working directory, or below the directory itself.

    None if it has none.
    """
    start = next((place for place in (root / "src", root) if path.is_relative_to(place)), PROJECT_FOLDER)
    parts = path.relative_to(start).with_suffix("").parts
    return ".".join(parts) if all(part.isidentifier() for part in parts) else None


def _call(target: Any, inputs: dict[str, Any]) -> Any:
    """Kick off a crew or flow, or the one that a class or function builds, or call a function."""
    if inspect.isclass(target):
        target = _construct(target, inputs)
        build_crew = getattr(target, "crew", None)
        if callable(build_crew):
            target = build_crew()
    kickoff = getattr(target, "kickoff", None)
    if callable(kickoff):
        return _kick_off(target, kickoff, inputs)
    if not callable(target):
        raise EntryError(f"A {type(target).__name__} cannot be run: choose a function, a crew or a flow.")
    output = target(**_find_arguments(target, inputs))
    kickoff = getattr(output, "kickoff", None)
    is_built = callable(kickoff) and not inspect.isclass(output) and results.find_last() is None
    return _kick_off(output, kickoff, inputs) if is_built else output


def _kick_off(target: Any, kickoff: Any, inputs: dict[str, Any]) -> Any:
    if "inputs" in inspect.signature(kickoff).parameters:
        return kickoff(inputs=inputs)
    # Flows of 0.70 take no inputs: they are the values of the state.
    state = getattr(target, "state", None)
    if isinstance(state, dict):
        state.update(inputs)
    elif state is not None:
        for name, value in inputs.items():
            setattr(state, name, value)
    return kickoff()


def _construct(kind: Any, inputs: dict[str, Any]) -> Any:
    """Create an object. Old versions of `@CrewBase` hide the parameters of the class below them."""
    for base in kind.__mro__:
        initialize = vars(base).get("__init__")
        if inspect.isfunction(initialize):
            parameters = list(inspect.signature(initialize).parameters.values())[1:]
            if not any(one.kind is one.VAR_KEYWORD for one in parameters):
                return kind(**_choose_arguments(kind.__name__, parameters, inputs))
    return kind()


def _find_arguments(function: Any, inputs: dict[str, Any]) -> dict[str, Any]:
    parameters = list(inspect.signature(function).parameters.values())
    return _choose_arguments(function.__name__, parameters, inputs)


def _choose_arguments(
    called: str, parameters: Sequence[inspect.Parameter], inputs: dict[str, Any]
) -> dict[str, Any]:
    """Return the values of parameters by name; the crew's own inputs keep theirs. Raises EntryError."""
    arguments: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        if parameter.name in inputs:
            arguments[parameter.name] = inputs[parameter.name]
        elif parameter.default is not parameter.empty:
            continue
        elif parameter.name == "inputs":
            arguments["inputs"] = inputs
        else:
            raise EntryError(f"{called}() requires an input named {parameter.name}.")
    passed_names.update(arguments)
    return arguments


def _resolve(output: Any) -> Any:
    """Return the result of a coroutine, or the output itself."""
    if not inspect.isawaitable(output):
        return output

    async def wait() -> Any:
        return await output

    return asyncio.run(wait())
