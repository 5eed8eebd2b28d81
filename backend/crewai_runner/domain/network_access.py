"""Which hosts the tools of a run may contact: what the workflow says, within the limit of its workspace."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

ALLOW_IN_WORKFLOW = "To allow it, add it to `allowed_hosts` in the workflow."
_NONE_IN_WORKFLOW = (
    "The workflow has `network: none`. To allow it, write `network: listed`, and add it to `allowed_hosts`."
)
_NONE_IN_WORKSPACE = (
    "The workspace lets runs contact only the hosts of models. An owner can change that in its settings."
)
_LISTED_IN_WORKSPACE = (
    "The workspace lets tools contact only listed hosts. To allow it, add it to `allowed_hosts` in the "
    "workflow."
)


class NetworkAccess(StrEnum):
    """`none` leaves the hosts of models; tools contact no other one."""

    NONE = "none"
    LISTED = "listed"
    ANY = "any"


_ORDER = (NetworkAccess.NONE, NetworkAccess.LISTED, NetworkAccess.ANY)


def narrower_access(one: NetworkAccess | None, other: NetworkAccess | None) -> NetworkAccess | None:
    """Return the access that both allow; None stands for no statement."""
    given = [access for access in (one, other) if access is not None]
    return min(given, key=_ORDER.index, default=None)


@dataclass(frozen=True, slots=True)
class HostRule:
    """The hosts that may be contacted, as patterns; None: every one. `remedy` says what allows others."""

    hosts: tuple[str, ...] | None
    remedy: str = ALLOW_IN_WORKFLOW


def find_host_rule(
    network: NetworkAccess | None, allowed_hosts: Sequence[str] | None, limit: NetworkAccess | None = None
) -> HostRule:
    """Return the rule of a workflow with these keys, in a workspace with this limit.

    Hosts that are listed are always the only ones, also with `network: any`.
    """
    if limit is NetworkAccess.NONE:
        return HostRule((), _NONE_IN_WORKSPACE)
    if network is NetworkAccess.NONE:
        return HostRule((), _NONE_IN_WORKFLOW)
    if allowed_hosts is not None:
        return HostRule(tuple(allowed_hosts))
    if limit is NetworkAccess.LISTED:
        return HostRule((), _LISTED_IN_WORKSPACE)
    return HostRule(() if network is NetworkAccess.LISTED else None)
