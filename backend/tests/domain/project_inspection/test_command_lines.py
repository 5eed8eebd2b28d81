"""Options that a file defines with argparse or click become inputs."""

import ast

import pytest

from crewai_runner.domain.project_inspection.command_lines import list_options
from crewai_runner.domain.project_inspection.python_module import PythonModule

ARGPARSE = """\
import argparse
parser = argparse.ArgumentParser()
parser.add_argument("topic")
parser.add_argument("notes", nargs="*")
parser.add_argument("-n", "--max-days", type=int, default=3)
parser.add_argument("--out", dest="folder", required=True, choices=["a", "b"])
parser.add_argument("--verbose", action="store_true")
parser.add_argument("--no-cache", dest="cache", action="store_false")
parser.add_argument("--size", default=compute())
parser.add_argument("--version", action="version")
"""
CLICK = """\
import click
@click.group()
def cli(): ...
@cli.command()
@click.option("--kind", "-k", type=click.Choice(["pdf", "url"]), required=True)
@click.option("--all/--none", default=True, is_flag=True)
@click.argument("place")
def add_file(kind, all, place): ...
@cli.command("list")
def show(): ...
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            ARGPARSE,
            [
                ("topic", "string", True, None, None),
                ("notes", "array", False, None, None),
                ("max_days", "integer", False, 3, None),
                ("folder", "string", True, None, ["a", "b"]),
                ("verbose", "boolean", False, False, None),
                ("cache", "boolean", False, True, None),
                ("size", "string", False, None, None),
            ],
        ),
        (
            CLICK,
            [
                ("command", "string", True, None, ["add-file", "list"]),
                ("kind", "string", False, None, ["pdf", "url"]),
                ("all", "boolean", False, True, None),
                ("place", "string", False, None, None),
            ],
        ),
        ("parser.add_argument('--other')\n", []),
    ],
    ids=["argparse", "click", "neither"],
)
def test_options_are_inputs(source: str, expected: list[tuple[object, ...]]) -> None:
    found = list_options(PythonModule("main.py", ast.parse(source)))

    assert [(one.name, one.type.value, one.required, one.default, one.enum) for one in found] == expected
