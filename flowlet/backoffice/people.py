"""Who is at the desk: the logged-in member of staff, what they may do, and how the trail names them."""

from dataclasses import dataclass

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest

from flowlet.audit.trail import Actor
from flowlet.backoffice.cells import words
from flowlet.identity.models import User


@dataclass(frozen=True, slots=True)
class Person:
    """A member of the house's own staff, seen from a page."""

    user: User

    def may(self, permission: str) -> bool:
        """Tell whether the person holds the permission (`app.codename`); an empty one is held by all staff."""
        return not permission or self.user.has_perm(permission)

    @property
    def name(self) -> str:
        """Return the full name, or the log-in when there is none."""
        return self.user.full_name or self.user.email

    @property
    def initials(self) -> str:
        """Return up to two letters for the avatar."""
        return initials(self.name)

    @property
    def role(self) -> str:
        """Return the roles in words."""
        if self.user.is_superuser:
            return "Superuser"
        return ", ".join(words(group.name) for group in self.user.groups.all()) or "No role"

    @property
    def actor(self) -> Actor:
        """Return the person as the audit trail names them."""
        return Actor(kind="STAFF", ref=self.user.public_id, label=self.name)


def person_of(request: HttpRequest) -> Person:
    """
    Return the member of staff behind a request that has passed the site's permission check.

    :raises TypeError: if the request is anonymous, which the site must have turned away before
    """
    if isinstance(request.user, User):
        return Person(request.user)
    raise TypeError("this view answers members of staff only")


def is_staff_member(user: User | AnonymousUser) -> bool:
    """Tell whether this user may enter the back office at all: active staff of the house, not of a partner."""
    return isinstance(user, User) and user.is_active and user.is_staff and user.partner_id is None


def initials(name: str) -> str:
    """Return up to two letters that stand for a name."""
    letters = [part[0] for part in name.replace("@", " ").split() if part[0].isalnum()]
    return "".join(letters[:1] + letters[1:][-1:]).upper() or "?"
