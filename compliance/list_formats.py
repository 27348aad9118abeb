"""What a list format is, and the registry of them; one file in `compliance/lists/` per list fills it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Protocol

from flowlet.core.registry import Registry


@dataclass(frozen=True, slots=True)
class ParsedName:
    """One name; `kind` is a code of `choices.NameKind`."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class ParsedFact:
    """One fact; `kind` is a code of `choices.FactKind`, `country` alpha-2 or ''; dates only for birth dates."""

    kind: str
    text: str
    country: str = ""
    date_from: date | None = None
    date_to: date | None = None
    is_circa: bool = False


@dataclass(slots=True)
class ParsedEntity:
    """One listed entity, all files of the delivery put together; `is_cut` when the publisher cut its remarks."""

    uid: str
    kind: str
    name: str
    programs: tuple[str, ...]
    remarks: str
    is_cut: bool = False
    names: list[ParsedName] = field(default_factory=list)
    facts: list[ParsedFact] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """Return the SHA-256 over everything that is compared or shown; the order of lines does not matter."""
        names = sorted((name.kind, name.text) for name in self.names)
        facts = sorted(map(repr, self.facts))
        whole = repr((self.kind, self.name, self.programs, self.remarks, self.is_cut, names, facts))
        return hashlib.sha256(whole.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class ParsedList:
    """A whole delivery that passed its own format's gate."""

    entities: tuple[ParsedEntity, ...]
    encoding: str

    @property
    def counts(self) -> dict[str, int]:
        """Return the sizes that are compared with the live version."""
        facts = [fact for entity in self.entities for fact in entity.facts]
        return {
            "entities": len(self.entities),
            "names": sum(len(entity.names) for entity in self.entities),
            "dates": sum(fact.kind == "BIRTH_DATE" for fact in facts),
            "documents": sum(fact.kind == "DOCUMENT" for fact in facts),
        }


class ListFormat(Protocol):
    """How one list is delivered and read."""

    title: str
    source: str
    files: tuple[str, ...]

    def parse(self, files: Mapping[str, bytes]) -> ParsedList:
        """
        Read a delivery: the content of each file under its name in `files`.

        :raises compliance.errors.ListRefused: if anything is damaged, missing or of another shape
        """


LISTS: Registry[ListFormat] = Registry("compliance.lists")
