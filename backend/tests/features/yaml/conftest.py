from tests.support.documents import client, process

__all__ = ["client", "process"]
