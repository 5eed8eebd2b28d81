"""The self-hosted control room for CrewAI."""

__version__ = "0.1.0"
