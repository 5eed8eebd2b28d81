from tests.support.documents import client, container

__all__ = ["client", "container"]
