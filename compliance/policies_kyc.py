"""Pure decisions about identities: what is missing, what follows, what partners hear."""

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from compliance.choices_kyc import (
    ASKED_IN_WORDS,
    DECISION_REASONS,
    NEXT_STATES,
    CheckStatus,
    DecisionReason,
    DocumentType,
    KycState,
    Outcome,
    Purpose,
)
from compliance.errors import ReasonNotForOutcome
from compliance.policies import check_note
from flowlet.identity.choices import RiskLevel, Tier

DOCUMENTS_MAX = 20
DATA = "DATA"
_TIERS = (Tier.BASIC, Tier.STANDARD, Tier.PLUS)
_OFFICE_OPENS, _OFFICE_CLOSES, _WEEKEND = 9, 17, 5
_DUE_HOURS = 8
# Minutes until a check that could not run is tried again; then every hour.
_RETRY_MINUTES = (1, 5, 15, 60)
_OUTSIDE = {
    KycState.DRAFT: "information_needed",
    KycState.INFORMATION_NEEDED: "information_needed",
    KycState.SUBMITTED: "pending",
    KycState.CHECKING: "pending",
    KycState.CHECK_ERROR: "pending",
    KycState.IN_REVIEW: "pending",
    KycState.AUTO_APPROVED: "approved",
    KycState.APPROVED: "approved",
    KycState.REJECTED: "not_permitted",
}


def outside_state(state: str) -> str:
    """Return the word that partners hear; the same whatever stands behind it."""
    return _OUTSIDE[KycState(state)]


def may_follow(state: str, following: str) -> bool:
    """Tell whether an application may go from one state to the other."""
    return following in NEXT_STATES.get(state, frozenset())


def is_higher(tier: str, than: str) -> bool:
    """Tell whether a tier is above another."""
    return _TIERS.index(Tier(tier)) > _TIERS.index(Tier(than))


def missing_items(
    *, document_type: str, tier: str, asked: Collection[str], there: Collection[str]
) -> list[str]:
    """Return what must still come: purposes of documents, and DATA when the data were asked for again."""
    needed = [Purpose.IDENTITY_FRONT]
    if document_type != DocumentType.PASSPORT:
        needed.append(Purpose.IDENTITY_BACK)
    if tier == Tier.PLUS or DecisionReason.ADDRESS_NOT_PROVEN in asked:
        needed.append(Purpose.PROOF_OF_ADDRESS)
    missing = [DATA] if DecisionReason.DATA_DIFFERS in asked else []
    return missing + [purpose for purpose in needed if purpose not in there]


def wanted_again(reason_code: str) -> tuple[str, ...]:
    """Return the purposes whose files must be sent again when more is asked for this reason."""
    if reason_code == DecisionReason.ADDRESS_NOT_PROVEN:
        return (Purpose.PROOF_OF_ADDRESS,)
    return (Purpose.IDENTITY_FRONT, Purpose.IDENTITY_BACK)


def next_state(statuses: Iterable[str], level: str) -> KycState:
    """Return where a checked application goes: only what passed everything at low risk passes by itself."""
    found = set(statuses)
    if not found or CheckStatus.ERROR in found:
        return KycState.CHECK_ERROR
    if found == {CheckStatus.PASSED} and level == RiskLevel.LOW:
        return KycState.AUTO_APPROVED
    return KycState.IN_REVIEW


def retry_at(now: datetime, run: int) -> datetime:
    """Return when the checks of an application run again after its `run`-th run could not."""
    return now + timedelta(minutes=_RETRY_MINUTES[min(run, len(_RETRY_MINUTES)) - 1])


def due_at(now: datetime) -> datetime:
    """Return when a person should have decided: eight office hours later (Monday to Friday, 9 to 17 UTC)."""
    left, at = timedelta(hours=_DUE_HOURS), now
    while True:
        opens = at.replace(hour=_OFFICE_OPENS, minute=0, second=0, microsecond=0)
        closes = opens.replace(hour=_OFFICE_CLOSES)
        at = max(at, opens)
        if at.weekday() < _WEEKEND and at < closes:
            if left <= closes - at:
                return at + left
            left -= closes - at
        at = opens + timedelta(days=1)


def check_decision(*, outcome: str, reason_code: str, note: str) -> None:
    """
    Check what an officer gives with a decision: a refusal needs words, and so does an explained difference.

    :raises ReasonNotForOutcome: if the reason belongs to another outcome
    :raises NoteRequired: if words are missing
    :raises NoteTooLong: if there are too many
    """
    if reason_code not in DECISION_REASONS.get(outcome, ()):
        raise ReasonNotForOutcome(reason=reason_code, outcome=outcome)
    plain = outcome == Outcome.INFORMATION_NEEDED or reason_code in (
        DecisionReason.DOCUMENT_AGREES,
        DecisionReason.POLICY,
    )
    if note.strip() or not plain:
        check_note(note)


def asked_words(reasons: Iterable[str]) -> list[dict[str, str]]:
    """Return what a partner is told to send, with a code and a sentence for each reason."""
    return [
        {"reason": reason.lower(), "text": ASKED_IN_WORDS[reason]}
        for reason in reasons
        if reason in ASKED_IN_WORDS
    ]
