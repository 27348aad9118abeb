"""Pure decisions of screening: numbers in force, what may follow on what."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from compliance.choices import REASONS, HitStatus, Outcome
from compliance.errors import NoteRequired, NoteTooLong, ReasonNotForOutcome

NOTE_LENGTH_MAX = 4000


@dataclass(frozen=True, slots=True)
class Numbers:
    """The numbers in force: alert threshold in points (ten-thousandths) and hours until a hit is due."""

    threshold: int = 8000
    due_hours: int = 24

    def due_at(self, now: datetime) -> datetime:
        """Return when a hit that opens now should be decided."""
        return now + timedelta(hours=self.due_hours)


_NEXT: dict[str, frozenset[str]] = {
    HitStatus.OPEN: frozenset(Outcome.values),
    HitStatus.ESCALATED: frozenset({Outcome.FALSE_POSITIVE, Outcome.TRUE_MATCH}),
    # What the machine cleared by facts is sampled by people, who may find that it was wrong.
    HitStatus.AUTO_CLEARED: frozenset({Outcome.ESCALATED, Outcome.TRUE_MATCH}),
}


def may_follow(status: str, outcome: str) -> bool:
    """Tell whether a hit in this state can get this decision."""
    return outcome in _NEXT.get(status, frozenset())


def check_decision(*, outcome: str, reason_code: str, note: str) -> None:
    """
    Check what an officer gives with a decision.

    :raises ReasonNotForOutcome: if the reason belongs to another outcome
    :raises NoteRequired: if a true match or an escalation comes without words
    :raises NoteTooLong: beyond NOTE_LENGTH_MAX characters
    """
    if outcome not in Outcome.values or reason_code not in REASONS[Outcome(outcome)]:
        raise ReasonNotForOutcome(reason=reason_code, outcome=outcome)
    if outcome == Outcome.FALSE_POSITIVE and not note.strip():
        return
    check_note(note)


def check_note(note: str) -> None:
    """
    Check words that must be there.

    :raises NoteRequired: if there are none
    :raises NoteTooLong: beyond NOTE_LENGTH_MAX characters
    """
    if len(note) > NOTE_LENGTH_MAX:
        raise NoteTooLong(limit=NOTE_LENGTH_MAX)
    if not note.strip():
        raise NoteRequired


def status_for(*, points: int, name_points: int, threshold: int) -> HitStatus | None:
    """
    Return the state in which a comparison becomes a hit, or None if it is none.

    A name beyond the threshold that facts brought below it is stored as AUTO_CLEARED, never left out.
    """
    if points >= threshold:
        return HitStatus.OPEN
    return HitStatus.AUTO_CLEARED if name_points >= threshold else None
