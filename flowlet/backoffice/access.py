"""Coming in and going out: the log-in page, its limits, the end of a log-in."""

from datetime import datetime, timedelta

from django import forms
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_ratelimit.core import is_ratelimited
from redis.exceptions import RedisError

from flowlet.audit import trail
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import bare_context, safe_next
from flowlet.backoffice.people import Person, is_staff_member
from flowlet.core import clock
from flowlet.identity.models import User
from flowlet.identity.policies import normal_login

LIFE_MAX = timedelta(hours=8)
STARTED = "started_at"
VERSION = "security_version"
# The same words for an unknown account, a wrong password, a locked account and a limit that was passed.
REFUSED = "This e-mail and password do not match, or the account is paused for a few minutes. Check both and try again."
# Per address, per account and overall, each counted before a password is hashed.
RATES = (
    ("address", "ip", "30/m"),
    ("account", "post:username", "20/m"),
    ("house", lambda *_: "all", "300/m"),
)


class LogInForm(forms.Form):
    """E-mail and password, both needed, both taken as they are typed."""

    username = forms.CharField(max_length=254)
    password = forms.CharField(max_length=1_000, strip=False)


@method_decorator([never_cache, csrf_protect, sensitive_post_parameters("password")], name="dispatch")
class LogIn(View):
    """The log-in page."""

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the page, or go on when the person is in already."""
        if still_in(request):
            return HttpResponseRedirect(safe_next(request.GET.get("next", "")))
        return self._page(request, fault="")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Let the person in, or say the same words whatever was wrong."""
        form = LogInForm(request.POST)
        user = _check(request, form) if form.is_valid() else None
        if user is None:
            return self._page(request, fault=REFUSED)
        login(request, user)
        request.session[STARTED] = clock.now().isoformat()
        request.session[VERSION] = user.security_version
        with acting_as(request, Person(user)):
            trail.record(action="user.log_in", object_type="user", object_id=user.public_id)
        return HttpResponseRedirect(safe_next(request.POST.get("next", "")))

    def _page(self, request: HttpRequest, *, fault: str) -> HttpResponse:
        following = request.POST.get("next") or request.GET.get("next", "")
        context = {
            **bare_context(request, title="Log in"),
            "fault": fault,
            "username": request.POST.get("username", "")[:254],
            "next": safe_next(following),
            "ended": bool(following) and not fault,
        }
        return render(request, "admin/login.html", context)


@require_POST
@csrf_protect
def log_out(request: HttpRequest) -> HttpResponse:
    """End the log-in and forget the session."""
    if isinstance(request.user, User):
        with acting_as(request, Person(request.user)):
            trail.record(action="user.log_out", object_type="user", object_id=request.user.public_id)
    logout(request)
    return HttpResponseRedirect(reverse("admin:login"))


def still_in(request: HttpRequest) -> bool:
    """
    Tell whether this is a live log-in of a member of staff.

    The cookie's own life ends it after 15 idle minutes; here ends what is older than 8 hours, or older than the latest
    change of password, role or state.
    """
    user = request.user
    if not isinstance(user, User) or not is_staff_member(user):
        return False
    started = _instant(request.session.get(STARTED))
    fresh = started is not None and clock.now() - started < LIFE_MAX
    return fresh and request.session.get(VERSION) == user.security_version


def locked_out(_request: HttpRequest, answer: HttpResponse, _credentials: object) -> HttpResponse:
    """Keep the ordinary refusal when django-axes has locked the account: a lock must not look different."""
    return answer


def _check(request: HttpRequest, form: LogInForm) -> User | None:
    name, password = normal_login(form.cleaned_data["username"]), form.cleaned_data["password"]
    if _limited(request):
        make_password(password)  # the time of one hash, as every other refusal takes
        return None
    user = authenticate(request, username=name, password=password)
    if isinstance(user, User) and is_staff_member(user):
        return user
    if user is None and getattr(request, "axes_locked_out", False):
        make_password(password)
    _note_refusal(request, name)
    return None


def _limited(request: HttpRequest) -> bool:
    """Count this try and tell whether it is one too many; without Redis nobody gets in."""
    try:
        # A list, not a generator: every limit counts every try.
        passed = [
            is_ratelimited(request, group=f"backoffice.log_in.{name}", key=key, rate=rate, increment=True)
            for name, key, rate in RATES
        ]
    except (RedisError, OSError):
        return True
    return any(passed)


def _note_refusal(request: HttpRequest, name: str) -> None:
    known = User.objects.filter(email=name).first()
    actor = trail.Actor("STAFF", "anonymous", "Somebody at the log-in page")
    with trail.acting(actor, ip=request.META.get("REMOTE_ADDR", "")):
        trail.record(
            action="user.log_in",
            object_type="user",
            object_id=known.public_id if known else "unknown",
            outcome="REFUSED",
        )


def _instant(text: object) -> datetime | None:
    try:
        return datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
