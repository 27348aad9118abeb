"""The page of the chain: its state, the runs of the proof and what they found, a button to check now; parts of others."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from flowlet.backoffice.cards import HOUSE, HouseLine, HouseState, aged
from flowlet.backoffice.cells import Badge, Code, Main, Tone, When, span_text
from flowlet.backoffice.doing import acting_as
from flowlet.backoffice.frame import page
from flowlet.backoffice.lists import Column
from flowlet.backoffice.navigation import Item
from flowlet.backoffice.panels import Panel, facts_panel, table_panel
from flowlet.backoffice.people import Person, person_of
from flowlet.backoffice.site import register_page
from flowlet.core import clock
from flowlet.core.errors import AppError
from ledger.admin_parts import amount_cell
from ledger.choices import CheckScope, CheckStatus
from ledger.models.accounts import Account
from ledger.models.seals import Block, LedgerCheck
from ledger.models.transactions import LedgerTransaction
from ledger.operations.checking import request_check, step_of
from ledger.queries import history
from ledger.queries.seals import (
    Proof,
    Unsealed,
    get_chain,
    list_anchors,
    list_checks,
)

VIEW, RUN = "ledger.view_block", "ledger.verify_block"
_SHOWN, _FINDINGS_SHOWN, _HASH_SHOWN = 10, 50, 16
# The sealer runs every second: what waits longer waits for a sealer that does not run.
_LATE_S = 60.0
_OPEN = (CheckStatus.WAITING, CheckStatus.RUNNING)
_TONES: dict[str, Tone] = {
    CheckStatus.WAITING: "",
    CheckStatus.RUNNING: "info",
    CheckStatus.CLEAN: "ok",
    CheckStatus.FAULTS: "bad",
    CheckStatus.FAILED: "warn",
}


@register_page(
    route="ledger/chain/",
    name="ledger_seals",
    permission=VIEW,
    navigation=Item(
        title="Proof",
        url_name="admin:ledger_seals",
        group="Books",
        icon="shield-check",
        permission=VIEW,
        order=79,
    ),
)
@require_http_methods(["GET", "HEAD", "POST"])
def seals(request: HttpRequest) -> HttpResponse:
    """
    Answer the page; a POST asks for a check.

    :raises PermissionDenied: if a check is asked for by somebody who may only look
    """
    if request.method == "POST":
        return _check_now(request)
    now, checks = clock.now(), list(list_checks()[:_SHOWN])
    unsealed, block = get_chain()
    latest = next((check for check in checks if check.status not in _OPEN), None)
    return page(
        request,
        "admin/change_form.html",
        title="Proof of the ledger",
        path=[("Books", "")],
        summary="Every row is signed, sealed in a block, and vouched for outside the database",
        badges=[*([_status(latest)] if latest else []), _lag_badge(unsealed, now)],
        panels=[
            *([_findings_panel(latest)] if latest and latest.faults else []),
            _checks_panel(checks),
            _anchors_panel(),
        ],
        side_panels=[
            *([_form_panel(checks)] if person_of(request).may(RUN) else []),
            _chain_panel(unsealed, block, now),
        ],
    )


def _check_now(request: HttpRequest) -> HttpResponse:
    person, now = person_of(request), clock.now()
    if not person.may(RUN):
        raise PermissionDenied
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    since = None if request.POST.get("scope") == CheckScope.ALL else midnight - timedelta(days=1)
    try:
        with acting_as(request, person):
            request_check(since=since, now=now)
    except AppError as refusal:
        messages.error(request, refusal.detail)
    else:
        messages.success(request, "The check waits for a worker. Its result will stand here.")
    return HttpResponseRedirect(reverse("admin:ledger_seals"))


def _status(check: LedgerCheck) -> Badge:
    return Badge(check.get_status_display(), _TONES[check.status])


def _lag_badge(unsealed: Unsealed, now: datetime) -> Badge:
    if unsealed.lag_s(now) > _LATE_S:
        return Badge(f"Sealing is {span_text(timedelta(seconds=unsealed.lag_s(now)))} late", "bad")
    return Badge("Sealing", "ok")


def _form_panel(checks: list[LedgerCheck]) -> Panel:
    running = next((check for check in checks if check.status in _OPEN), None)
    data = {"running": running, "step": step_of(running.pk) if running else ""}
    return Panel(title="Check the ledger", template="ledger/check_now.html", data=data, side=True)


def _chain_panel(unsealed: Unsealed, block: Block | None, now: datetime) -> Panel:
    facts: list[tuple[str, object]] = [
        ("Latest block", f"{block.n:,}" if block else "None yet"),
        ("Sealed", When(block.sealed_at) if block else ""),
        ("Its hash", Code(bytes(block.hash).hex()[:_HASH_SHOWN] + "…") if block else ""),
        ("Signed by key", f"{block.key_id}" if block else ""),
        (
            "Waiting to be sealed",
            f"{unsealed.transactions:,} transactions, {unsealed.hold_events:,} hold events",
        ),
        (
            "Waiting for",
            span_text(timedelta(seconds=unsealed.lag_s(now))) if unsealed.oldest else "Nothing waits",
        ),
    ]
    return facts_panel("Chain", facts, side=True)


def _checks_panel(checks: list[LedgerCheck]) -> Panel:
    return table_panel(
        "Checks",
        columns=(
            Column(title="What", cell=lambda c: Main(c.get_scope_display(), _asked_by(c))),
            Column(title="Started", cell=lambda c: When(c.started_at or c.asked_at), width="m"),
            Column(title="Took", cell=_took, width="s", hide="s"),
            Column(
                title="Rows", cell=lambda c: f"{c.rows:,}" if c.rows else "", width="s", right=True, hide="s"
            ),
            Column(title="Result", cell=_status, width="m"),
        ),
        rows=checks,
        note=f"The latest {_SHOWN}" if len(checks) == _SHOWN else "",
        empty=("No check yet", "One runs every night."),
        empty_icon="shield-check",
    )


def _asked_by(check: LedgerCheck) -> str:
    return (
        "by itself, every night" if check.asked_by.startswith("SYSTEM:") else f"asked for by {check.asked_by}"
    )


def _took(check: LedgerCheck) -> str:
    if check.started_at is None or check.finished_at is None:
        return ""
    return f"{max((check.finished_at - check.started_at).total_seconds(), 0):,.0f} s"


def _findings_panel(check: LedgerCheck) -> Panel:
    shown = check.findings[:_FINDINGS_SHOWN]
    return table_panel(
        "Found by the latest check",
        columns=(
            Column(title="Row", cell=lambda f: Main(f[1][:1].upper() + f[1][1:], f[0].replace("_", " "))),
            Column(title="Column", cell=lambda f: Code(f[2]), width="m"),
            Column(title="What is wrong", cell=lambda f: f[3][:1].upper() + f[3][1:]),
        ),
        rows=shown,
        note=f"{check.faults:,} faults"
        + (f", the first {len(shown)} shown" if check.faults > len(shown) else ""),
    )


def _anchors_panel() -> Panel:
    rows = list(list_anchors()[:_SHOWN])
    return table_panel(
        "Anchors outside the database",
        columns=(
            Column(
                title="Block",
                cell=lambda a: Main(f"Block {a.pk:,}", bytes(a.hash).hex()[:_HASH_SHOWN] + "…", mono=True),
            ),
            Column(title="Signed", cell=lambda a: When(a.made_at), width="m"),
            Column(title="Kept in", cell=_kept_in, width="m"),
        ),
        rows=rows,
        note=f"The latest {_SHOWN}" if len(rows) == _SHOWN else "",
        empty=("No anchor yet", "One is made every hour and at each close of a period."),
        empty_icon="shield",
    )


def _kept_in(anchor: Any) -> object:
    places = sorted(anchor.stores)
    return ", ".join(places) if places else Badge("Not stored yet", "warn")


def proof_panel(transaction: LedgerTransaction, proof: Proof) -> Panel:
    """Return what proves a transaction: its signature, its block, the anchor over the block."""
    facts: list[tuple[str, object]] = [
        ("Signature", Code(bytes(transaction.mac).hex()[:_HASH_SHOWN] + "…")),
        ("By key", f"{transaction.key_id}"),
        ("Block", f"{proof.block:,}" if proof.block else "Waits for the next one"),
        ("Sealed", When(proof.sealed_at) if proof.sealed_at else ""),
        ("Anchored", When(proof.anchored_at) if proof.anchored_at else "With the next anchor"),
    ]
    return facts_panel("Proof", facts, side=True)


def as_of_panel(account: Account, asked: Any) -> Panel:
    """Return the small form "Balance as of" with its answer; `asked` is the query string."""
    as_of, known = asked.get("as_of", "")[:10], asked.get("known", "")[:10]
    data: dict[str, object] = {"as_of": as_of, "known": known, "fault": "", "facts": []}
    if as_of:
        try:
            data["facts"] = _as_of(
                account, date.fromisoformat(as_of), date.fromisoformat(known) if known else None
            )
        except ValueError:
            data["fault"] = "Give days such as 2026-10-31."
        except AppError as refusal:
            data["fault"] = refusal.detail
    return Panel(title="Balance as of", template="ledger/balance_as_of.html", data=data, side=True)


def _as_of(account: Account, day: date, known: date | None) -> list[tuple[str, object]]:
    found = history.look_back(account, day, known=known, today=clock.now().astimezone(UTC).date())
    facts: list[tuple[str, object]] = [
        ("By time of booking", amount_cell(found.booked.posted.minor, account.currency)),
        ("Held then", amount_cell(found.booked.held.minor, account.currency)),
        ("By value date", amount_cell(found.value_date.minor, account.currency)),
    ]
    if found.as_known is not None:
        facts.append(("By value date, as known then", amount_cell(found.as_known.minor, account.currency)))
    return facts


def _house(_person: Person, now: datetime) -> HouseState:
    """Say whether the ledger is whole: one query."""
    href = reverse("admin:ledger_seals")
    latest = list_checks().exclude(status__in=_OPEN).first()
    if latest is None or latest.finished_at is None:
        return HouseState(text="Not checked yet", tone="", note="checked every night", href=href)
    note = aged(latest.finished_at, now)
    if latest.status == CheckStatus.FAULTS:
        return HouseState(text=f"{latest.faults:,} faults", tone="bad", note=note, href=href)
    if latest.status == CheckStatus.FAILED:
        return HouseState(text="Check failed", tone="warn", note=note, href=href)
    return HouseState(text="Whole", tone="ok", note=note, href=href)


HOUSE.register("ledger.chain")(HouseLine(title="Ledger", permission=VIEW, state=_house, order=55))
