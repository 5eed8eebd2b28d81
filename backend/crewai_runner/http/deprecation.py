"""Says of an endpoint or a version that it will go: RFC 9745 (Deprecation), RFC 8594 (Sunset).

    @router.get("/old", **deprecated(Deprecation(since=..., sunset=..., link="https://...")))

marks it in the API document and on each of its answers.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

EXTENSION = "x-deprecation"
"""Where the API document tells the same, for machines."""

HEADERS = ("Deprecation", "Sunset", "Link")


@dataclass(frozen=True, slots=True)
class Deprecation:
    """Since when it is better not used, when it will be gone (if that is known), where to read of it."""

    since: datetime
    link: str
    sunset: datetime | None = None

    def __post_init__(self) -> None:
        if any(moment is not None and moment.tzinfo is None for moment in (self.since, self.sunset)):
            raise ValueError("A moment without a time zone is another one everywhere.")
        if self.sunset is not None and self.sunset < self.since:
            raise ValueError("Nothing can be gone before it is deprecated.")

    def headers(self) -> list[tuple[bytes, bytes]]:
        told = [
            (b"deprecation", f"@{int(self.since.timestamp())}".encode()),
            (b"link", f'<{self.link}>; rel="deprecation"; type="text/html"'.encode()),
        ]
        if self.sunset is not None:
            told.append((b"sunset", format_datetime(self.sunset.astimezone(UTC), usegmt=True).encode()))
        return told

    def told(self) -> dict[str, Any]:
        """As it stands in the API document."""
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in asdict(self).items()
            if value is not None
        }


def deprecated(deprecation: Deprecation) -> dict[str, Any]:
    """The arguments of a route that is deprecated."""
    return {"deprecated": True, "openapi_extra": {EXTENSION: deprecation.told()}}


def deprecation_of(route: Any) -> Deprecation | None:
    """What was said of a route by `deprecated`."""
    told: Mapping[str, Any] | None = (getattr(route, "openapi_extra", None) or {}).get(EXTENSION)
    if told is None:
        return None
    sunset = told.get("sunset")
    return Deprecation(
        since=datetime.fromisoformat(told["since"]),
        link=told["link"],
        sunset=None if sunset is None else datetime.fromisoformat(sunset),
    )
