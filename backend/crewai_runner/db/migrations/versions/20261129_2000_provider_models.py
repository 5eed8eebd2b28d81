"""provider models

The provider's name for a model moves from `endpoint` to `provider_model`. Clients of the first version sent
the path or URL of an API as `endpoint`: such values stay, and the model is called by its own name.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

MODELS = sa.table(
    "models",
    sa.column("id", sa.String),
    sa.column("name", sa.String),
    sa.column("endpoint", sa.String),
    sa.column("provider_model", sa.String),
)


def upgrade() -> None:
    op.add_column("models", sa.Column("provider_model", sa.String(500), nullable=False, server_default=""))
    connection = op.get_bind()
    for model in connection.execute(sa.select(MODELS.c.id, MODELS.c.name, MODELS.c.endpoint)).all():
        is_address = model.endpoint is not None and _is_path_or_url(model.endpoint)
        provider_model = model.name if is_address or not model.endpoint else model.endpoint
        endpoint = model.endpoint if is_address else None
        _update(connection, model.id, endpoint=endpoint, provider_model=provider_model)


def downgrade() -> None:
    connection = op.get_bind()
    for model in connection.execute(sa.select(MODELS)).all():
        # An address is kept only where nothing else would be lost: as `endpoint` it is not a model's name.
        keeps_address = model.endpoint is not None and model.provider_model in ("", model.name)
        endpoint = model.endpoint if keeps_address else model.provider_model or model.name
        _update(connection, model.id, endpoint=endpoint)
    op.drop_column("models", "provider_model")


def _update(connection: sa.Connection, model_id: str, **values: str | None) -> None:
    connection.execute(sa.update(MODELS).where(MODELS.c.id == model_id).values(**values))


def _is_path_or_url(text: str) -> bool:
    """Return whether the text can only be a path or URL, as `features/models/rules.py` decided then."""
    text = text.strip().casefold()
    if text.startswith(("/", "./", "../", "\\", "?")) or "://" in text:
        return True
    first, *middle, last = ["", *(segment for segment in text.partition("?")[0].split("/") if segment)]
    above = [first, *middle][1:]
    if not above:
        return _is_local_host(last)
    is_base_url = _is_version(last) and (_is_host(above[0]) or _is_local_host(above[0]))
    is_route = last in API_ROUTES and any(
        segment in {"api", "chat"} or _is_version(segment) or _is_host(segment) for segment in above
    )
    return _is_version(above[0]) or is_base_url or is_route or last.partition(":")[2] in API_METHODS


API_ROUTES = frozenset({"completions", "embeddings", "responses", "messages", "generate", "chat", "converse"})
API_METHODS = frozenset({"generatecontent", "streamgeneratecontent", "embedcontent"})


def _is_version(segment: str) -> bool:
    return segment[:1] == "v" and segment[1:2].isdigit()


def _is_host(segment: str) -> bool:
    return "." in segment or segment.partition(":")[2].isdigit()


def _is_local_host(segment: str) -> bool:
    host, _, port = segment.partition(":")
    return (host == "localhost" or host.replace(".", "").isdigit()) and (not port or port.isdigit())
