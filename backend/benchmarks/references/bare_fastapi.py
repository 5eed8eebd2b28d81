"""Plain FastAPI: ``python -m benchmarks.references.bare_fastapi PORT DATABASE PROVIDER_URL``.

One bearer-protected endpoint, one indexed read of 50 rows by direct SQL and one by SQLAlchemy's ORM, one
insert and one relay of a model's stream: the minimum of a web service with a database.
"""

import hmac
import json
import sys
from collections.abc import AsyncIterator
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from pydantic import BaseModel, ConfigDict
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from benchmarks.references.token import TOKEN

PAGE = 50


class Row(BaseModel):
    """A row of the list, as wide as a run in the product's list."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    workflow_name: str
    status: str
    attempt: int
    created_by: str
    created_at: str
    started_at: str | None
    finished_at: str | None
    prompt_tokens: int | None
    completion_tokens: int | None
    total_tokens: int | None
    llm_calls: int


class Table(DeclarativeBase):
    """The base of the mapped tables."""


class RunRow(Table):
    """The same row as an entity of SQLAlchemy's ORM."""

    __tablename__ = "runs"
    id: Mapped[str] = mapped_column(primary_key=True)
    workflow_name: Mapped[str]
    status: Mapped[str]
    attempt: Mapped[int]
    created_by: Mapped[str]
    created_at: Mapped[str]
    started_at: Mapped[str | None]
    finished_at: Mapped[str | None]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    total_tokens: Mapped[int | None]
    llm_calls: Mapped[int]


def check_token(given: Annotated[HTTPAuthorizationCredentials, Depends(HTTPBearer())]) -> None:
    """Reject requests with a wrong token."""
    if not hmac.compare_digest(given.credentials.encode(), TOKEN.encode()):
        raise HTTPException(401)


def create_app(database: str, provider_url: str) -> FastAPI:
    """Return the application on a SQLite file."""
    app = FastAPI(dependencies=[Depends(check_token)])
    engine = create_async_engine(f"sqlite+aiosqlite:///{database}")
    sessions = async_sessionmaker(engine, expire_on_commit=False)
    read = text("SELECT * FROM runs ORDER BY id DESC LIMIT :limit")
    write = text("INSERT INTO notes (body) VALUES (:body)")

    @app.get("/protected")
    async def protected() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/rows")
    async def rows(limit: int = PAGE) -> list[Row]:
        async with engine.connect() as connection:
            found = await connection.execute(read, {"limit": limit})
            return [Row.model_validate(dict(row)) for row in found.mappings()]

    @app.get("/orm-rows")
    async def orm_rows(limit: int = PAGE) -> list[Row]:
        async with sessions() as session:
            found = await session.scalars(select(RunRow).order_by(RunRow.id.desc()).limit(limit))
            return [Row.model_validate(row) for row in found]

    @app.post("/rows", status_code=201)
    async def insert(body: dict[str, Any]) -> dict[str, str]:
        async with engine.begin() as connection:
            await connection.execute(write, {"body": json.dumps(body)})
        return {"status": "created"}

    @app.get("/relay")
    async def relay() -> StreamingResponse:
        from openai import AsyncOpenAI  # noqa: PLC0415  # slow import, not part of the startup time

        client = AsyncOpenAI(base_url=provider_url, api_key="bench")

        async def frames() -> AsyncIterator[str]:
            messages: Any = [{"role": "user", "content": "Stream"}]
            stream: Any = await client.chat.completions.create(model="relay", messages=messages, stream=True)
            async for chunk in stream:
                if chunk.choices and chunk.choices[0].delta.content:
                    yield f"data: {json.dumps(chunk.choices[0].delta.content)}\n\n"

        return StreamingResponse(frames(), media_type="text/event-stream")

    return app


def main() -> None:
    port, database, provider_url = sys.argv[1:]
    uvicorn.run(create_app(database, provider_url), port=int(port), log_level="warning", access_log=False)


if __name__ == "__main__":
    main()
