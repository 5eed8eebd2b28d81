from tests.executor.crew.conftest import engine, provider

__all__ = ["engine", "provider"]
