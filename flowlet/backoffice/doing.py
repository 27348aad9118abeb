"""Answering `/admin/do/<action>/<object>/`: GET asks, POST does, once, on what the person saw."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import connection
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.http import require_http_methods
from structlog.contextvars import get_contextvars

from flowlet.audit import trail
from flowlet.audit.models import AuditRecord
from flowlet.backoffice.actions import ACTIONS, Action, ActionCall
from flowlet.backoffice.cells import ago
from flowlet.backoffice.frame import is_part, page_context, safe_next
from flowlet.backoffice.models import FormReceipt
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.timeline import actor_of, sentence_of
from flowlet.core import clock
from flowlet.core.again import in_transaction
from flowlet.core.errors import AppError, Conflict

NOTE_LENGTH_MAX = 4_000


class Stale(Conflict):
    """The object changed after the form was shown."""

    code = "stale"
    title = "Changed in the meantime"
    message = "{who}"


@dataclass(slots=True)
class Asked:
    """A form as the person sees it: what was typed, what is wrong with it, and what it is bound to."""

    form_id: str
    version: str
    reason: str = ""
    note: str = ""
    faults: dict[str, str] = field(default_factory=dict)
    alert: str = ""
    stale: bool = False


@contextmanager
def acting_as(request: HttpRequest, person: Person) -> Iterator[None]:
    """Name the person for everything the trail writes inside."""
    request_id = str(get_contextvars().get("request_id", ""))[:40]
    with trail.acting(person.actor, request_id=request_id, ip=request.META.get("REMOTE_ADDR", "")):
        yield


@method_decorator(require_http_methods(["GET", "HEAD", "POST"]), name="dispatch")
class Do(View):
    """One action on one object."""

    def setup(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        """Find action and object; missing, foreign and unknown look alike, a missing right is refused."""
        super().setup(request, *args, **kwargs)
        self.person = person_of(request)
        name, object_id = kwargs["action"], kwargs["object_id"]
        if name not in ACTIONS:
            raise Http404
        self.action = ACTIONS.get(name)
        if not self.person.may(self.action.permission):
            self._note_refusal("forbidden", object_id)
            raise PermissionDenied
        self.object_id = object_id
        self.obj = self._find()

    def get(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        """Ask."""
        asked = Asked(form_id=str(uuid.uuid4()), version=self.action.version(self.obj))
        if not self.action.available(self.obj):
            asked.alert, asked.stale = "This is not possible in the present state.", True
        return self._answer(request, asked, self._extra_form(None), 200)

    def post(self, request: HttpRequest, **_kwargs: Any) -> HttpResponse:
        """Do it, or show the same form with what stands against it."""
        asked = _read(request)
        extra = self._extra_form(request.POST)
        self._check(asked)
        if asked.faults or (extra is not None and not extra.is_valid()):
            return self._answer(request, asked, extra, 400)
        try:
            receipt, fresh = self._do_once(
                request, asked, dict(extra.cleaned_data) if extra is not None else {}
            )
        except Stale as stale:
            asked.alert, asked.stale = stale.detail, True
            return self._answer(request, asked, extra, 409)
        except AppError as refusal:
            self._note_refusal(refusal.code, self.object_id)
            asked.alert = refusal.detail
            return self._answer(request, asked, extra, refusal.http_status)
        if fresh:
            messages.success(request, receipt.message)
        return _onward(request, receipt.next_href)

    def _find(self) -> Model:
        found = self.action.find(self.object_id)
        if found is None:
            raise Http404
        return found

    def _extra_form(self, data: Any) -> Any:
        return self.action.form(data) if self.action.form else None

    def _check(self, asked: Asked) -> None:
        known = {code for code, _ in self.action.reasons(self.obj)}
        if self.action.reason and asked.reason not in known:
            asked.faults["reason"] = "Choose a reason."
        if self.action.note == "required" and not asked.note:
            asked.faults["note"] = "Say in a few words why."
        if len(asked.note) > NOTE_LENGTH_MAX:
            asked.faults["note"] = (
                f"Keep the note under {NOTE_LENGTH_MAX:,} characters; it has {len(asked.note):,}."
            )
        if "\0" in asked.note:
            asked.faults["note"] = "The note holds a character that cannot be stored."

    def _do_once(self, request: HttpRequest, asked: Asked, data: dict[str, Any]) -> tuple[FormReceipt, bool]:
        """Return the receipt of this form, and whether it was made now."""
        return in_transaction(lambda: self._do(request, asked, data))

    def _do(self, request: HttpRequest, asked: Asked, data: dict[str, Any]) -> tuple[FormReceipt, bool]:
        # Serialises all back-office acts on one object. The row itself is not locked here: the operation does that, and
        # the order of locks is its own (a wallet's operation locks the customer first).
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"do:{self.object_id}"])
        known = FormReceipt.objects.filter(user=self.person.user, form_id=asked.form_id).first()
        if known is not None:
            return known, False
        now = clock.now()
        self.obj = self._find()
        if self.action.version(self.obj) != asked.version or not self.action.available(self.obj):
            raise Stale(who=_who_was_quicker(self.action, self.object_id, now))
        call = ActionCall(
            person=self.person,
            actor=self.person.actor,
            reason=asked.reason,
            note=asked.note,
            now=now,
            data=data,
        )
        with acting_as(request, self.person):
            self.action.run(call, self.obj)
        return self._receipt(request, call, asked), True

    def _receipt(self, request: HttpRequest, call: ActionCall, asked: Asked) -> FormReceipt:
        after = self.action.find(self.object_id) or self.obj
        following = self.action.next_href(call, after) if self.action.next_href else ""
        return FormReceipt.objects.create(
            form_id=asked.form_id,
            user=self.person.user,
            action=self.action.name,
            object_id=self.object_id,
            message=self.action.done(after)[:300],
            next_href=(following or safe_next(request.POST.get("next", "")))[:500],
            created_at=call.now,
        )

    def _note_refusal(self, code: str, object_id: str) -> None:
        with acting_as(self.request, self.person):
            trail.record(
                action=self.action.name,
                object_type=self.action.name.partition(".")[0],
                object_id=object_id[:80],
                outcome="REFUSED",
                reason_code=code[:60],
            )

    def _answer(self, request: HttpRequest, asked: Asked, extra: Any, status: int) -> HttpResponse:
        context = {
            "action": self.action,
            "asked": asked,
            "extra": extra,
            "question": self.action.title(self.obj),
            "explanation": self.action.text(self.obj),
            "reasons": self.action.reasons(self.obj) if self.action.reason else (),
            "impact": self.action.impact(self.obj),
            "next": safe_next(request.POST.get("next") or request.GET.get("next", "")),
            "do_href": self.action.href(self.obj),
            "note_length_max": NOTE_LENGTH_MAX,
        }
        if is_part(request, "dialog"):
            return render(request, "backoffice/ask.html", context, status=status)
        frame = page_context(request, title=self.action.label)
        return render(request, "backoffice/ask_page.html", {**frame, **context}, status=status)


def _read(request: HttpRequest) -> Asked:
    form_id = request.POST.get("form_id", "")
    try:
        form_id = str(uuid.UUID(form_id))
    except ValueError:
        raise Http404 from None
    return Asked(
        form_id=form_id,
        version=request.POST.get("version", ""),
        reason=request.POST.get("reason", ""),
        note=request.POST.get("note", "").strip(),
    )


def _onward(request: HttpRequest, href: str) -> HttpResponse:
    """Send a script the address in a header, a browser a redirect."""
    if is_part(request, "dialog"):
        answer = HttpResponse(status=204)
        answer["X-Next"] = href
        return answer
    return HttpResponseRedirect(href, status=303)


def _who_was_quicker(action: Action, object_id: str, now: datetime) -> str:
    """Return a sentence that names the latest act on the object, from the trail."""
    kind = action.name.partition(".")[0]
    latest = (
        AuditRecord.objects.filter(object_type=kind, object_id=object_id, outcome="DONE")
        .order_by("-pk")
        .first()
    )
    if latest is None:
        return "This changed since you opened it. Nothing was done."
    who = actor_of(latest)
    what = sentence_of(latest).text
    return f"{who} was here {ago(latest.recorded_at, now)}: {what}. Nothing was done."
