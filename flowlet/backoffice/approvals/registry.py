"""The acts that need two people: each app says here what the second person sees and what is then done."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime

from flowlet.backoffice.models import Approval
from flowlet.core.registry import Registry


def _nobody(_object_id: str) -> Collection[int]:
    return ()


def _nothing(_approval: Approval, _now: datetime) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalKind:
    """
    One act that needs two people, such as closing a case.

    `title` names the act, or gives its name for an object's public id. `evidence` returns what the checker sees and is
    bound to, as JSON values keyed by a label for people; it is read again when the checker decides, and any difference
    voids the request. `execute` carries the act out by one operation of its domain, in the checker's transaction, and
    may raise AppError. `ended` is called in the same transaction when a request closes and nothing was done (rejected,
    withdrawn, expired, void, refused by the domain): it gives the object back to work, if that still waits for this
    request, and must not raise. `excluded` names users (by key) who may not check besides the maker.
    `permission` is the checker's right, `maker_permission` the maker's, which is checked again at the end.
    """

    title: str | Callable[[str], str]
    permission: str
    maker_permission: str
    evidence: Callable[[str], Mapping[str, object]]
    execute: Callable[[Approval, datetime], object]
    object_href: Callable[[str], str]
    ended: Callable[[Approval, datetime], object] = _nothing
    excluded: Callable[[str], Collection[int]] = _nobody
    hours: int = 8

    def title_for(self, object_id: str) -> str:
        """Return the name of the act on this object."""
        return self.title(object_id) if callable(self.title) else self.title


# Keyed by the action's name, such as "compliance.close_case".
APPROVALS: Registry[ApprovalKind] = Registry("backoffice.approvals")
