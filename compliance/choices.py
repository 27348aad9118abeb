"""The codes that compliance stores."""

from django.db.models import TextChoices


class VersionStatus(TextChoices):
    """The life of one delivered list."""

    STAGED = "STAGED", "Being read"
    LIVE = "LIVE", "In use"
    REFUSED = "REFUSED", "Refused"
    RETIRED = "RETIRED", "Replaced"


class EntityKind(TextChoices):
    """What a listed entity is."""

    PERSON = "PERSON", "Person"
    COMPANY = "COMPANY", "Organisation"
    VESSEL = "VESSEL", "Vessel"
    AIRCRAFT = "AIRCRAFT", "Aircraft"


class NameKind(TextChoices):
    """How strongly a list stands by a name; a weak one is a nickname or a broad alias."""

    PRIMARY = "PRIMARY", "Main name"
    STRONG = "STRONG", "Alias"
    WEAK = "WEAK", "Weak alias"


class FactKind(TextChoices):
    """What else a list says about an entity."""

    BIRTH_DATE = "BIRTH_DATE", "Birth date"
    BIRTH_PLACE = "BIRTH_PLACE", "Birth place"
    NATIONALITY = "NATIONALITY", "Nationality"
    CITIZENSHIP = "CITIZENSHIP", "Citizenship"
    GENDER = "GENDER", "Gender"
    DOCUMENT = "DOCUMENT", "Document"
    ADDRESS = "ADDRESS", "Address"
    OTHER = "OTHER", "Remark"


class SubjectState(TextChoices):
    """What is known about a customer and the lists."""

    NOT_SCREENED = "NOT_SCREENED", "Not screened"
    CLEAR = "CLEAR", "No match"
    HIT = "HIT", "Possible match"


class NotScreenedReason(TextChoices):
    """Why a customer could not be compared with the lists."""

    NO_LIST = "NO_LIST", "No list was in use"
    NOTHING_TO_COMPARE = "NOTHING_TO_COMPARE", "The name has no words to compare"


class RunStatus(TextChoices):
    """The life of one re-screening."""

    RUNNING = "RUNNING", "Running"
    COMPLETE = "COMPLETE", "Complete"


class HitStatus(TextChoices):
    """The life of a possible match."""

    OPEN = "OPEN", "Open"
    ESCALATED = "ESCALATED", "Escalated"
    TRUE_MATCH = "TRUE_MATCH", "True match"
    FALSE_POSITIVE = "FALSE_POSITIVE", "Cleared"
    AUTO_CLEARED = "AUTO_CLEARED", "Cleared by facts"
    SUPERSEDED = "SUPERSEDED", "Replaced"
    DELISTED = "DELISTED", "No longer listed"


PENDING_STATUSES = (HitStatus.OPEN, HitStatus.ESCALATED)


class Outcome(TextChoices):
    """What a person may decide about a hit."""

    FALSE_POSITIVE = "FALSE_POSITIVE", "Clear"
    ESCALATED = "ESCALATED", "Escalate"
    TRUE_MATCH = "TRUE_MATCH", "True match"


class ReasonCode(TextChoices):
    """Why a hit was decided as it was; the first five stand on the page with the digits 1 to 5."""

    BIRTH_DATE_DIFFERS = "BIRTH_DATE_DIFFERS", "Birth date differs"
    DIFFERENT_PERSON = "DIFFERENT_PERSON", "Other facts show a different person"
    COMMON_NAME = "COMMON_NAME", "Common name, nothing else agrees"
    KIND_DIFFERS = "KIND_DIFFERS", "Person, company or ship mixed up"
    COUNTRY_DIFFERS = "COUNTRY_DIFFERS", "Country and places differ"
    NEEDS_LEAD = "NEEDS_LEAD", "A lead must see this"
    NEEDS_DOCUMENTS = "NEEDS_DOCUMENTS", "Documents are needed first"
    SAME_BIRTH_DATE = "SAME_BIRTH_DATE", "Name and birth date agree"
    SAME_DOCUMENT = "SAME_DOCUMENT", "Document number agrees"
    SAME_FACTS = "SAME_FACTS", "Name and other facts agree"


REASONS: dict[Outcome, tuple[ReasonCode, ...]] = {
    Outcome.FALSE_POSITIVE: (
        ReasonCode.BIRTH_DATE_DIFFERS,
        ReasonCode.DIFFERENT_PERSON,
        ReasonCode.COMMON_NAME,
        ReasonCode.KIND_DIFFERS,
        ReasonCode.COUNTRY_DIFFERS,
    ),
    Outcome.ESCALATED: (ReasonCode.NEEDS_LEAD, ReasonCode.NEEDS_DOCUMENTS),
    Outcome.TRUE_MATCH: (ReasonCode.SAME_BIRTH_DATE, ReasonCode.SAME_DOCUMENT, ReasonCode.SAME_FACTS),
}
