"""Named plug-ins of one kind. A registry lives below everyone who fills it."""

from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

Plugin = TypeVar("Plugin")
Given = TypeVar("Given")


class UnknownEntry(LookupError):
    """No plug-in of that name is registered."""


class Registry(Generic[Plugin]):
    """Hold plug-ins by name; a name can be taken once."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._entries: dict[str, Plugin] = {}

    def register(self, key: str) -> Callable[[Given], Given]:
        """
        Return a decorator (or function) that stores what it is given under `key` and hands it back.

        :raises ValueError: if the key is taken by something else
        """

        def store(entry: Given) -> Given:
            known = self._entries.get(key)
            if known is not None and known is not entry:
                raise ValueError(f"{self.name} already has an entry {key!r}")
            self._entries[key] = entry  # type: ignore[assignment]
            return entry

        return store

    def get(self, key: str) -> Plugin:
        """
        Return the plug-in of that name.

        :raises UnknownEntry: if there is none
        """
        try:
            return self._entries[key]
        except KeyError:
            raise UnknownEntry(f"{self.name} has no entry {key!r}") from None

    def items(self) -> list[tuple[str, Plugin]]:
        """Return all entries sorted by name."""
        return sorted(self._entries.items(), key=lambda item: item[0])

    def values(self) -> list[Plugin]:
        """Return all plug-ins in the order of their names."""
        return [entry for _, entry in self.items()]

    def __contains__(self, key: str) -> bool:
        return key in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._entries))

    def __len__(self) -> int:
        return len(self._entries)
