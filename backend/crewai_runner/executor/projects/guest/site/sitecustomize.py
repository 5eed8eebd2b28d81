"""Python imports this module at the start of every process in the sandbox: it installs the bridge."""

import importlib

importlib.import_module("crewai_runner_bridge").install()
