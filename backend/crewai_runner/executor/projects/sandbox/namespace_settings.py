"""Settings of Linux that refuse user namespaces, which bubblewrap needs."""

from pathlib import Path

_SETTINGS = (
    ("user.max_user_namespaces", "0", "15000"),
    ("kernel.unprivileged_userns_clone", "0", "1"),
    ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
)
"""Name, the value that refuses namespaces, and one that allows them."""


def describe_refusing_settings(folder: Path = Path("/proc/sys")) -> str | None:
    """Return how to change the settings of this machine that refuse namespaces; None if none does."""
    commands = []
    for name, refusing, allowing in _SETTINGS:
        try:
            value = (folder / name.replace(".", "/")).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if value == refusing:
            commands.append(f"{name}={allowing}")
    if not commands:
        return None
    return f"allow user namespaces: `sysctl -w {' '.join(commands)}`, and keep that in /etc/sysctl.d"
