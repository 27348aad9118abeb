"""
Score two names by aligning their words one to one, weighted by rarity.

Points are ten-thousandths: 10_000 is a perfect match. Each aligned or lonely word carries a signed share, and the
shares sum to the points exactly.
"""

from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz.distance import OSA

from compliance.names import rarity
from compliance.names.normal import NormalName, Word, skeleton

POINTS_MAX = 10_000
_EDIT_FLOOR = 0.75  # below it two words are different words
_INITIAL_SIMILARITY = 0.85
_SKELETON_SIMILARITY = 0.90
_SKELETON_EDIT_FLOOR = 0.5
_JOIN_FACTOR = 0.98
_JOIN_FLOOR = 0.85
# An edit in a word costs more than its share of letters: "Marcos" and "Marquez" are two families.
_STEEPNESS = 1.4
# A word that stands on one side only is missing, not contradicting: it costs this part of its weight.
_MISSING_COST = 0.50

EQUAL, SPELLING, SOUND, STARTS, JOINED, ONLY_OURS, ONLY_LISTED = (
    "EQUAL", "SPELLING", "SOUND", "INITIAL", "JOINED", "ONLY_OURS", "ONLY_LISTED",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class WordShare:
    """What one word, or one pair of words, adds to the points; `how` is one of the codes of this module."""

    ours: str
    listed: str
    how: str
    similarity: float
    share: int


@dataclass(frozen=True, slots=True)
class NameScore:
    """Points 0..10_000 and the shares that sum to them, heaviest first."""

    points: int
    shares: tuple[WordShare, ...]


@dataclass(frozen=True, slots=True)
class _Pair:
    left: tuple[int, ...]
    right: tuple[int, ...]
    similarity: float
    how: str
    weight: float


def score_names(ours: NormalName, listed: NormalName) -> NameScore:
    """
    Return how alike two names are, from 0 (nothing in common) to 10_000 (the same words in any order).

    Symmetric: swapping the names gives the same points.
    """
    if not ours.words or not listed.words:
        return NameScore(0, ())
    # Ties are broken by position, so both orders of the arguments must walk the same way.
    if _order(ours) > _order(listed):
        swapped = score_names(listed, ours)
        return NameScore(swapped.points, tuple(_flip(share) for share in swapped.shares))
    pairs = _align(ours.words, listed.words)
    return _weigh(ours.words, listed.words, pairs)


def _order(name: NormalName) -> tuple[tuple[str, str], ...]:
    return tuple((word.text, word.kind) for word in name.words)


def _flip(share: WordShare) -> WordShare:
    how = {ONLY_OURS: ONLY_LISTED, ONLY_LISTED: ONLY_OURS}.get(share.how, share.how)
    return WordShare(share.listed, share.ours, how, share.similarity, share.share)


@lru_cache(maxsize=200_000)
def word_similarity(left: str, right: str) -> tuple[float, str]:
    """Return how alike two words are, 0..1, and how that was seen. Numbers match exactly or not at all."""
    if left == right:
        return 1.0, EQUAL
    if any(character.isdigit() for character in left + right):
        return 0.0, ""
    if min(len(left), len(right)) == 1:
        return (_INITIAL_SIMILARITY, STARTS) if left[0] == right[0] else (0.0, "")
    edit = OSA.normalized_similarity(left, right)
    ours, theirs = skeleton(left), skeleton(right)
    if ours == theirs and len(ours) > 1 and edit >= _SKELETON_EDIT_FLOOR and edit < _SKELETON_SIMILARITY:
        return _SKELETON_SIMILARITY, SOUND
    return (edit, SPELLING) if edit >= _EDIT_FLOOR else (0.0, "")


def _align(left: tuple[Word, ...], right: tuple[Word, ...]) -> list[_Pair]:
    """Choose pairs greedily, the most alike and heaviest first; each word is used once."""
    pairs = [
        _Pair((i,), (j,), similarity, how, rarity.weight(a) + rarity.weight(b))
        for i, a in enumerate(left)
        for j, b in enumerate(right)
        for similarity, how in (word_similarity(a.text, b.text),)
        if similarity
    ]
    pairs += [*_joined(left, right), *(_turn(pair) for pair in _joined(right, left))]
    pairs.sort(key=lambda pair: (-pair.similarity, -pair.weight, pair.left, pair.right))
    chosen: list[_Pair] = []
    used_left: set[int] = set()
    used_right: set[int] = set()
    for pair in pairs:
        if used_left.isdisjoint(pair.left) and used_right.isdisjoint(pair.right):
            chosen.append(pair)
            used_left.update(pair.left)
            used_right.update(pair.right)
    return chosen


def _turn(pair: _Pair) -> _Pair:
    return _Pair(pair.right, pair.left, pair.similarity, pair.how, pair.weight)


def _joined(one: tuple[Word, ...], other: tuple[Word, ...]) -> list[_Pair]:
    """Return pairs of two or three neighbours against one word without the gaps: "abd allah", "abdallah"."""
    found = []
    for length in (2, 3):
        for start in range(len(one) - length + 1):
            run = one[start : start + length]
            whole, longest = "".join(word.text for word in run), max(len(word.text) for word in run)
            for k, word in enumerate(other):
                similarity, how = word_similarity(whole, word.text)
                if similarity >= _JOIN_FLOOR and len(word.text) > longest:
                    weight = sum(map(rarity.weight, run)) + rarity.weight(word)
                    places = tuple(range(start, start + length))
                    found.append(
                        _Pair(
                            places, (k,), similarity * _JOIN_FACTOR, JOINED if how == EQUAL else how, weight
                        )
                    )
    return found


def _weigh(left: tuple[Word, ...], right: tuple[Word, ...], pairs: list[_Pair]) -> NameScore:
    lonely_left = [w for i, w in enumerate(left) if all(i not in pair.left for pair in pairs)]
    lonely_right = [w for j, w in enumerate(right) if all(j not in pair.right for pair in pairs)]
    matched = sum(pair.weight for pair in pairs)
    alone_left, alone_right = sum(map(rarity.weight, lonely_left)), sum(map(rarity.weight, lonely_right))
    facing = min(alone_left, alone_right)
    lonely = 2 * facing + _MISSING_COST * (max(alone_left, alone_right) - facing)
    whole = matched + lonely
    # What is matched starts at its full weight; unlike letters and lonely words are costs against it.
    parts = [
        (_pair_share(pair, left, right), pair.weight * _value(pair.similarity) / whole) for pair in pairs
    ]
    parts += [(WordShare(w.text, "", ONLY_OURS, 0.0, 0), 0.0) for w in lonely_left]
    parts += [(WordShare("", w.text, ONLY_LISTED, 0.0, 0), 0.0) for w in lonely_right]
    return _rounded(parts)


def _value(similarity: float) -> float:
    """Return what a pair of this similarity is worth."""
    return max(0.0, 1.0 - _STEEPNESS * (1.0 - similarity))


def _pair_share(pair: _Pair, left: tuple[Word, ...], right: tuple[Word, ...]) -> WordShare:
    ours = " ".join(left[i].text for i in pair.left)
    listed = " ".join(right[j].text for j in pair.right)
    return WordShare(ours, listed, pair.how, round(pair.similarity, 4), 0)


def _rounded(parts: list[tuple[WordShare, float]]) -> NameScore:
    """Turn fractions into whole points whose sum is the rounded whole (largest remainder)."""
    points = min(POINTS_MAX, round(sum(value for _, value in parts) * POINTS_MAX))
    floors = [int(value * POINTS_MAX) for _, value in parts]
    by_rest = sorted(range(len(parts)), key=lambda i: (floors[i] - parts[i][1] * POINTS_MAX, i))
    for index in by_rest[: max(0, points - sum(floors))]:
        floors[index] += 1
    shares = [
        WordShare(s.ours, s.listed, s.how, s.similarity, share)
        for (s, _), share in zip(parts, floors, strict=True)
    ]
    shares.sort(key=lambda share: (-share.share, share.ours, share.listed))
    return NameScore(sum(floors), tuple(shares))
