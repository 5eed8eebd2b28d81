"""Registers the plugin with the shared fixtures."""

pytest_plugins = ["tests.plugin"]
