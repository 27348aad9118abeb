"""Who did something, in words: from the code that the ledger stores to a name."""

from collections.abc import Iterable

from flowlet.identity.models import ApiClient, User


def actor_words(actors: Iterable[str]) -> dict[str, str]:
    """
    Return each actor in words: the name of a person or an API client, or the job; one query for each kind there is.

    Actors are stored as `STAFF:usr_…`, `CLIENT:clt_…`, `SYSTEM:job:…`.
    """
    wanted = {actor: actor.partition(":")[::2] for actor in actors}
    people = _people({ref for kind, ref in wanted.values() if kind == "STAFF"})
    clients = _clients({ref for kind, ref in wanted.values() if kind == "CLIENT"})
    return {actor: _words(kind, ref, {**people, **clients}) for actor, (kind, ref) in wanted.items()}


def _people(ids: set[str]) -> dict[str, str]:
    rows = User.objects.filter(public_id__in=ids) if ids else ()
    return {row.public_id: f"{row.full_name or row.email}, staff" for row in rows}


def _clients(ids: set[str]) -> dict[str, str]:
    rows = ApiClient.objects.filter(public_id__in=ids).select_related("partner") if ids else ()
    return {row.public_id: f"{row.partner.name}, API client {row.name}" for row in rows}


def _words(kind: str, ref: str, names: dict[str, str]) -> str:
    if kind == "SYSTEM":
        return f"Job {ref.removeprefix('job:')}" if ref.startswith("job:") else f"The system, {ref}"
    return names.get(ref, ref or kind)
