"""Anchors as files in a folder: of another disk, another machine, or one that is copied away and write-protected."""

from pathlib import Path

from django.conf import settings

from ledger.anchoring.stores import ANCHOR_STORES, AnchorStore, StoreFailed


class Folder:
    """Files in `FLOWLET_ANCHOR_DIR`, each made once and read-only from then on."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def write(self, name: str, content: bytes) -> None:
        """Write it whole or not at all, as `AnchorStore` says."""
        target, partial = self.path / name, self.path / f".{name}.partial"
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            if target.exists():
                if target.read_bytes() != content:
                    raise StoreFailed(f"{target} is there already and says something else")
                return
            partial.write_bytes(content)
            partial.chmod(0o444)
            partial.rename(target)
        except OSError as error:
            raise StoreFailed(f"the folder of anchors: {error}") from error

    def names(self) -> list[str]:
        """Return the names of all anchors, as `AnchorStore` says."""
        try:
            return sorted(path.name for path in self.path.glob("anchor-*.json"))
        except OSError as error:
            raise StoreFailed(f"the folder of anchors: {error}") from error

    def read(self, name: str) -> bytes:
        """Return one file, as `AnchorStore` says."""
        try:
            return (self.path / name).read_bytes()
        except OSError as error:
            raise StoreFailed(f"the folder of anchors: {error}") from error


@ANCHOR_STORES.register("folder")
def make() -> AnchorStore | None:
    """Return the folder of the settings."""
    return Folder(Path(settings.FLOWLET_ANCHOR_DIR)) if settings.FLOWLET_ANCHOR_DIR else None
