"""Compute the table of word weights anew, at a release of the engine: it needs a new ENGINE_VERSION with it."""

import argparse
import math
from collections import Counter
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from compliance.list_formats import LISTS, ParsedList
from compliance.names.normal import NAME, normal_name

_ENTITIES_MIN = 6  # a word of fewer entities is rare and stands in no table
_WEIGHT_MIN = 0.30
_TABLE = Path(__file__).resolve().parents[2] / "names" / "rarity.csv"


def weights(parsed: ParsedList) -> dict[str, float]:
    """Return each frequent word's weight: the logarithm of how rare it is among entities, 1 at the rare end."""
    counted: Counter[str] = Counter()
    for entity in parsed.entities:
        texts = [name.text for name in entity.names if name.kind != "WEAK"]
        counted.update({word.text for text in texts for word in normal_name(text).words if word.kind == NAME})
    whole = len(parsed.entities)
    rarest = math.log(whole / _ENTITIES_MIN)
    return {
        word: max(_WEIGHT_MIN, math.log(whole / number) / rarest)
        for word, number in sorted(counted.items())
        if number >= _ENTITIES_MIN
    }


class Command(BaseCommand):
    """`freeze_rarity --sdn F --alt F --add F`."""

    help = "Write compliance/names/rarity.csv from the files of the OFAC list; a matter of releases, not of operation."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Declare the files."""
        for name in LISTS.get("ofac-sdn").files:
            parser.add_argument(f"--{name}", type=Path, required=True, metavar="FILE")

    def handle(self, **options: Any) -> None:
        """Write the table and say how many words it holds."""
        listing = LISTS.get("ofac-sdn")
        found = weights(listing.parse({name: options[name].read_bytes() for name in listing.files}))
        lines = [f"{word},{weight:.2f}" for word, weight in found.items()]
        _TABLE.write_text("\n".join(["word,weight", *lines]) + "\n", "ascii")
        self.stdout.write(f"{len(found):,} words in {_TABLE.name}; give the engine a new version.")
