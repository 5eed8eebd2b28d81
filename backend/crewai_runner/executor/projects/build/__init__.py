"""Builds the Python environments of uploaded projects with uv. Executes no code of projects or packages."""
