"""Saving reports."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from analytics.definitions import read
from analytics.errors import BadDefinition, NameTaken
from analytics.models import Report
from flowlet.audit import trail

NAME_MAX = 80


@transaction.atomic
def save_report(
    *,
    owner_id: int,
    name: str,
    definition: dict[str, Any],
    may: Callable[[str], bool],
    now: datetime,
    visibility: str = "OWN",
) -> Report:
    """
    Keep a question under a name of its owner's.

    :raises BadDefinition: if the definition or the name will not do
    :raises NameTaken: if the owner has another report of that name
    """
    asked = read(definition, may=may).definition
    name = " ".join(name.split())
    if not name or len(name) > NAME_MAX or "\0" in name:
        raise BadDefinition(pointer="/name", why=f"Give a name of at most {NAME_MAX} characters.")
    if visibility not in Report.Visibility.values:
        raise BadDefinition(pointer="/visibility", why="Choose who finds the report.")
    try:
        with transaction.atomic():
            report = Report.objects.create(
                owner_id=owner_id, name=name, definition=asked.stored(), visibility=visibility, created_at=now
            )
    except IntegrityError as error:
        if "report_name_once" in str(error):
            raise NameTaken from error
        raise
    trail.record(action="report.save", object_type="report", object_id=report.public_id)
    return report
