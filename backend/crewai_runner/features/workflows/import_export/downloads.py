"""Names and headers of file downloads."""

import re
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Download:
    content: bytes
    media_type: str
    disposition: str


def build_file_stem(name: str) -> str:
    """Return a file name without extension, of lower-case ASCII letters, digits and hyphens."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60].rstrip("-") or "workflow"


def build_content_disposition(name: str, extension: str) -> str:
    """Return the Content-Disposition header: an ASCII name, and the real name encoded by RFC 5987."""
    ascii_name = f"{build_file_stem(name)}{extension}"
    real_name = re.sub(r'[\x00-\x1f\x7f/\\:*?"<>|]', "-", name).strip(" .") or "workflow"
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(real_name + extension, safe='')}"
