"""The application: middleware, routers, lifespan."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from crewai_runner import __version__
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.settings import Settings
from crewai_runner.features.amp.router import PREFIX as AMP
from crewai_runner.features.audit.middleware import AuditMiddleware
from crewai_runner.features.auth.middleware import AuthMiddleware
from crewai_runner.features.crewai_plus.router import PREFIX as CREWAI_PLUS
from crewai_runner.features.executions.run_form import UPLOAD_PATHS as RUN_PATHS
from crewai_runner.features.health.router import LIVENESS, READINESS
from crewai_runner.features.health.router import router as health
from crewai_runner.features.identities.router import PUBLIC_PATHS as ISSUER_PATHS
from crewai_runner.features.knowledge.upload_form import UPLOAD_PATHS as KNOWLEDGE_PATHS
from crewai_runner.features.mcp.authorization_router import PUBLIC_PATHS as MCP_PATHS
from crewai_runner.features.mcp_endpoint.router import PREFIX as MCP
from crewai_runner.features.metrics.middleware import RequestCounting
from crewai_runner.features.metrics.router import PATH as METRICS
from crewai_runner.features.metrics.router import router as metrics
from crewai_runner.features.people.sign_in_router import PUBLIC_PATHS
from crewai_runner.features.projects.deployments.deps import UPLOAD_PATHS as DEPLOYMENT_PATHS
from crewai_runner.features.projects.upload_body import MAX_UPLOAD_BYTES, UPLOAD_PATHS
from crewai_runner.features.public_links.router import SHARED_RUN_PATHS
from crewai_runner.features.triggers.service import HOOKS_PATH
from crewai_runner.features.workflows.deps import IMPORT_PATHS, MAX_ARCHIVE_BYTES
from crewai_runner.http import documentation, frontend, problems
from crewai_runner.http.client_address import ClientAddressMiddleware
from crewai_runner.http.conditional import ConditionalGetMiddleware
from crewai_runner.http.deprecation import HEADERS as DEPRECATION_HEADERS
from crewai_runner.http.gradual_start import GradualStartMiddleware
from crewai_runner.http.json_limits import JsonLimitMiddleware
from crewai_runner.http.middleware import (
    BodyLimitMiddleware,
    RequestContextMiddleware,
    UnhandledErrorMiddleware,
)
from crewai_runner.http.openapi import build_openapi, operation_id
from crewai_runner.http.ratelimit.middleware import HEADERS as RATE_HEADERS
from crewai_runner.http.ratelimit.middleware import RateLimitMiddleware
from crewai_runner.http.time_limit import TimeLimitMiddleware
from crewai_runner.http.version_alias import LATEST_VERSION, VersionAliasMiddleware
from crewai_runner.http.versions import API_VERSIONS, ApiVersionMiddleware
from crewai_runner.queue.data_dir_lock import DataDirLock
from crewai_runner.routes import include_api, include_foreign_api
from crewai_runner.wiring.adapters import rate_limit
from crewai_runner.wiring.container import Container
from crewai_runner.wiring.lifecycle import ProcessLifecycle

NOT_PAGES = (
    *(AMP, CREWAI_PLUS, HOOKS_PATH, MCP),
    *("/assets", "/docs", "/health", "/metrics", "/openapi.json", "/redoc"),
)


def create_app(
    settings: Settings | None = None,
    container: Container | None = None,
    mask: SecretMask | None = None,
    folder_lock: DataDirLock | None = None,
) -> FastAPI:
    """The product as an ASGI application.

    `container` is for tests; `mask` and `folder_lock` come from the process that has set up logging and
    acquired the data folder.
    """
    settings = settings or (container.settings if container else Settings())

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        built = container or Container(settings, mask=mask)
        app.state.container, app.state.mask = built, built.mask
        app.state.telemetry = built.telemetry
        app.state.rate_limiter = built.rate_limiter
        lifecycle = ProcessLifecycle(built, folder_lock=folder_lock)
        await lifecycle.start()
        try:
            yield
        finally:
            await lifecycle.stop()

    app = FastAPI(
        title="CrewAI Runner",
        version=__version__,
        lifespan=lifespan,
        generate_unique_id_function=operation_id,
        docs_url=None,
        redoc_url=None,
        # The redirect would be built from the Host header, which the client chooses.
        redirect_slashes=False,
    )
    app.openapi = lambda: build_openapi(app)  # type: ignore[method-assign]  # FastAPI's documented way
    problems.install(app)
    include_api(
        app, f"{settings.api_base_url}/{LATEST_VERSION}", deprecated=API_VERSIONS[LATEST_VERSION] is not None
    )
    include_foreign_api(app)
    app.include_router(health)
    app.include_router(metrics)
    documentation.install(app)
    if settings.frontend:
        frontend.install(app, settings.frontend, settings.api_base_url, [settings.api_base_url, *NOT_PAGES])
    else:
        frontend.install_missing_build(app)
    _wrap(app, settings)
    return app


def openapi_text() -> str:
    """The OpenAPI document as JSON text, independent of the settings."""
    app = create_app(Settings.model_construct())
    return json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def _wrap(app: FastAPI, settings: Settings) -> None:
    """Add the middleware. The first added is the innermost: a request passes them in reverse order."""
    app.add_middleware(ConditionalGetMiddleware)
    app.add_middleware(JsonLimitMiddleware)
    base = re.escape(f"{settings.api_base_url}/{LATEST_VERSION}")
    uploads = re.compile(
        f"{base}(?:{IMPORT_PATHS}|{UPLOAD_PATHS}|{KNOWLEDGE_PATHS}|{RUN_PATHS})|{DEPLOYMENT_PATHS}"
    )
    app.add_middleware(
        BodyLimitMiddleware,
        limit=settings.max_request_bytes,
        uploads=uploads,
        upload_limit=max(MAX_ARCHIVE_BYTES, MAX_UPLOAD_BYTES),
    )
    app.add_middleware(TimeLimitMiddleware, seconds=settings.request_timeout_seconds)
    app.add_middleware(ApiVersionMiddleware, prefix=settings.api_base_url)
    if (rate := rate_limit(settings)) is not None:
        app.add_middleware(RateLimitMiddleware, rate=rate, unlimited=[READINESS])
    closed = [settings.api_base_url, AMP, CREWAI_PLUS, MCP, *([] if settings.metrics_public else [METRICS])]
    version = f"{settings.api_base_url}/{LATEST_VERSION}"
    paths = (*PUBLIC_PATHS, *SHARED_RUN_PATHS, *ISSUER_PATHS, *MCP_PATHS)
    public = [READINESS, *(version + path for path in paths)]
    app.add_middleware(AuthMiddleware, protected=closed, optional=public, same_origin=[MCP])
    app.add_middleware(AuditMiddleware)
    app.add_middleware(VersionAliasMiddleware, prefix=settings.api_base_url)
    app.add_middleware(UnhandledErrorMiddleware)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=[
            "Authorization",
            "Content-Type",
            "If-Match",
            "If-None-Match",
            "Idempotency-Key",
            "Last-Event-ID",
        ],
        expose_headers=["ETag", "X-Request-Id", "Retry-After", *RATE_HEADERS, *DEPRECATION_HEADERS],
    )
    app.add_middleware(RequestContextMiddleware)
    app.add_middleware(RequestCounting)
    app.add_middleware(ClientAddressMiddleware, trusted=settings.trusted_networks)
    app.add_middleware(GradualStartMiddleware, exempt=frozenset({LIVENESS}))
