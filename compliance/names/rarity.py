"""
How much a word says: a rare word nearly proves a name, a common one does not.

The table is frozen with the engine version, never taken from the live list: otherwise each list change would move
every score. It was computed at release by `manage.py freeze_rarity` from the OFAC SDN list of July 2021.
"""

from functools import cache
from pathlib import Path

from compliance.names import normal

WEIGHT_MAX = 1.0
_TABLE = Path(__file__).with_name("rarity.csv")
_KIND_WEIGHTS = {normal.TITLE: 0.12, normal.PARTICLE: 0.15, normal.LEGAL: 0.10, normal.INITIAL: 0.35}


@cache
def _table() -> dict[str, float]:
    lines = _TABLE.read_text("ascii").splitlines()[1:]
    return {word: float(weight) for word, weight in (line.split(",") for line in lines)}


def weight(word: normal.Word) -> float:
    """Return a word's weight, above 0 and up to 1; a word that is not in the table is rare and weighs 1."""
    fixed = _KIND_WEIGHTS.get(word.kind)
    return fixed if fixed is not None else _table().get(word.text, WEIGHT_MAX)
