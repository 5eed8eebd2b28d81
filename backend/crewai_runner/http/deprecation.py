"""Deprecation of endpoints and API versions: RFC 9745 (Deprecation), RFC 8594 (Sunset).

    @router.get("/old", **deprecated(Deprecation(since=..., sunset=..., link="https://...")))

marks an endpoint as deprecated in the OpenAPI document and in the headers of its responses.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

EXTENSION = "x-deprecation"
"""The extension of the OpenAPI document with the same information."""

HEADERS = ("Deprecation", "Sunset", "Link")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """When something was deprecated, when it will be removed, and where this is documented."""

    since: datetime
    link: str
    sunset: datetime | None = None

    def __post_init__(self) -> None:
        if any(moment is not None and moment.tzinfo is None for moment in (self.since, self.sunset)):
            raise ValueError("Timestamps must have a time zone.")
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("The sunset must not be before the date it is deprecated.")

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the response headers."""
        headers = [
            (b"deprecation", f"@{int(self.since.timestamp())}".encode()),
            (b"link", f'<{self.link}>; rel="deprecation"; type="text/html"'.encode()),
        ]
        if self.sunset is not None:
            headers.append((b"sunset", format_datetime(self.sunset.astimezone(UTC), usegmt=True).encode()))
        return headers

    def to_openapi(self) -> dict[str, Any]:
        """Return the value of the OpenAPI extension."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value is not None
        }


def deprecated(deprecation: Deprecation) -> dict[str, Any]:
    """Return the route arguments that deprecate an endpoint."""
    return {"deprecated": True, "openapi_extra": {EXTENSION: deprecation.to_openapi()}}


def get_deprecation(route: Any) -> Deprecation | None:
    """Return the deprecation that `deprecated` attached to a route."""
    extension: Mapping[str, Any] | None = (getattr(route, "openapi_extra", None) or {}).get(EXTENSION)
    if extension is None:
        return None
    sunset = extension.get("sunset")
    return Deprecation(
        since=datetime.fromisoformat(extension["since"]),
        link=extension["link"],
        sunset=None if sunset is None else datetime.fromisoformat(sunset),
    )
