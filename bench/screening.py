"""
How well names are found, and how fast: ours beside plain string ratios, in one run on the same names.

Needs the shared data beside the project (`../shared/data`, or where SHARED_DATA says) and the database of DATABASE_URL, in which it makes a
throw-away database and drops it. `--names N` sets how many listed entities and clean names are tried.

    python bench/screening.py [--names 150]
"""

import argparse
import csv
import os
import random
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "flowlet.settings.test")

import django  # noqa: E402

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from rapidfuzz import fuzz, process  # noqa: E402
from rapidfuzz.distance import JaroWinkler  # noqa: E402

from compliance import queries  # noqa: E402
from compliance.models.screening import ListedEntity  # noqa: E402
from compliance.names.align import score_names  # noqa: E402
from compliance.names.normal import normal_name  # noqa: E402
from compliance.names.score import Subject, compare  # noqa: E402
from compliance.operations.lists import load_list  # noqa: E402
from compliance.policies import Numbers  # noqa: E402
from flowlet.core import clock  # noqa: E402

DATA = Path(os.environ.get("SHARED_DATA") or ROOT.parent / "shared" / "data")
OFAC = DATA / "sanctions" / "ofac-2021-07"
THRESHOLD = Numbers().threshold / 10_000
# Invented people: given and family names of one language are combined by chance.
GIVEN_FAMILY = (
    ("Anna Lena Jonas Lukas Marie Felix", "Schneider Vogel Brandt Keller Lindner Hofmann"),
    ("Camille Hugo Manon Louis Chloe Theo", "Moreau Girard Lambert Fontaine Rousseau Chevalier"),
    ("Lucia Pablo Carmen Diego Elena Javier", "Navarro Ortega Castillo Vidal Herrero Lozano"),
    ("Olena Taras Oksana Bohdan Iryna Dmytro", "Kovalenko Shevchuk Bondar Melnyk Tkachenko Savchenko"),
    ("Aisha Yusuf Fatima Karim Layla Omar", "Rahman Haddad Mansour Saleh Nasser Khalil"),
    ("Mei Hao Lin Jun Xia Bo", "Chen Zhang Liu Huang Zhou Wu"),
    ("Priya Arjun Ananya Rohan Kavya Vikram", "Sharma Iyer Patel Reddy Banerjee Nair"),
    ("Emma Jack Olivia Harry Grace Oliver", "Thompson Walker Bennett Hughes Carter Foster"),
    ("Giulia Marco Sofia Luca Chiara Matteo", "Ferrari Conti Greco Marino Gallo Bruno"),
    ("Chipo Tendai Amara Kwame Zanele Sipho", "Moyo Okafor Mensah Dlamini Banda Nkosi"),
)
FIRMS = (
    "Harbour",
    "Blue Ridge",
    "Meridian",
    "Silver Fern",
    "Oakwell",
    "Pinecrest",
    "Larkspur",
    "Copperfield",
)
TRADES = ("Trading", "Logistics", "Foods", "Textiles", "Software", "Consulting", "Energy", "Marine Services")
LATIN_TO_CYRILLIC = str.maketrans("abvgdezijklmnoprstufh", "абвгдезийклмнопрстуфх")


def main() -> None:
    """Run all parts and print their figures."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--names", type=int, default=150)
    count = arguments.parse_args().names
    label_pairs()
    name = connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        call_command("migrate", verbosity=0)
        retrieval(count)
    finally:
        connection.creation.destroy_test_db(name, verbosity=0)


def label_pairs() -> None:
    """Print the best F1 on the labelled pairs, and the F1 at the shipped threshold."""
    with (DATA / "names" / "nomenklatura_name_cases.csv").open(encoding="utf-8") as file:
        pairs = list(csv.DictReader(file))
    truth = [pair["is_match"] == "true" for pair in pairs]
    forms = [(normal_name(pair["name1"]), normal_name(pair["name2"])) for pair in pairs]
    scores: dict[str, list[float]] = {
        "word alignment (ours)": [score_names(*form).points / 10_000 for form in forms],
        "plain ratio": [fuzz.ratio(pair["name1"], pair["name2"]) / 100 for pair in pairs],
        "sorted words, ratio": [fuzz.ratio(a.sorted_words, b.sorted_words) / 100 for a, b in forms],
        "word set ratio": [fuzz.token_set_ratio(a.sorted_words, b.sorted_words) / 100 for a, b in forms],
        "Jaro-Winkler": [JaroWinkler.similarity(a.sorted_words, b.sorted_words) for a, b in forms],
    }
    print(f"{len(pairs)} labelled pairs: best F1 (at), and F1 at {THRESHOLD:.2f}")
    for way, found in scores.items():
        best, at = max((f1(found, truth, step / 100), step / 100) for step in range(30, 101))
        print(f"  {way:24} {best:.3f} ({at:.2f})   {f1(found, truth, THRESHOLD):.3f}")
    strong = [
        (score, match)
        for pair, score, match in zip(pairs, scores["word alignment (ours)"], truth, strict=True)
        if pair["quality"] == "STRONG"
    ]
    wrong = sum((score >= THRESHOLD) != match for score, match in strong)
    print(f"  of {len(strong)} STRONG pairs {wrong} are wrong at {THRESHOLD:.2f}")


def f1(scores: list[float], truth: list[bool], threshold: float) -> float:
    """Return the harmonic mean of precision and recall."""
    found = [score >= threshold for score in scores]
    right = sum(a and b for a, b in zip(found, truth, strict=True))
    return 2 * right / (sum(found) + sum(truth)) if right else 0.0


def retrieval(count: int) -> None:
    """Print recall by kind of variant, clean names that alert, and the time of one screening."""
    load_list(
        code="ofac-sdn",
        files={file: (OFAC / f"{file}.csv").read_bytes() for file in ("sdn", "alt", "add")},
        now=clock.now(),
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    draw = random.Random(20261124)
    queries_made = list(variants(draw, count))
    clean = [Subject(kind, name) for kind, name in clean_names(draw, count * 2)]
    listed = [
        (e.pk, n.text, normal_name(n.text).sorted_words)
        for e in queries.list_entities(list(ListedEntity.objects.values_list("pk", flat=True)))
        for n in e.names.all()
    ]
    words = [row[2] for row in listed]
    plain: dict[str, Callable[..., float]] = {
        "sorted words, ratio": fuzz.ratio,
        "Jaro-Winkler": lambda a, b, **_: 100 * JaroWinkler.similarity(a, b),
    }
    times: list[float] = []
    ours = {
        "hit": [ours_best(query, entity, hidden, times) for _, query, entity, hidden in queries_made],
        "clean": [ours_best(query, None, "", times) for query in clean],
    }
    results = {"word alignment (ours)": ours}
    for way, scorer in plain.items():
        results[way] = {
            "hit": [
                plain_best(scorer, query.name, listed, entity, hidden)
                for _, query, entity, hidden in queries_made
            ],
            "clean": [
                max(process.cdist([normal_name(query.name).sorted_words], words, scorer=scorer)[0]) / 100
                for query in clean
            ],
        }
    report(results, [kind for kind, *_ in queries_made])
    times.sort()
    print(
        f"one screening, database and score, ms: median {times[len(times) // 2] * 1000:.0f}, p95 {times[int(len(times) * 0.95)] * 1000:.0f}, most {times[-1] * 1000:.0f}"
    )


def report(results: dict[str, dict[str, list[float]]], kinds: list[str]) -> None:
    """Print recall where 1 % of clean names alert, ours also at the shipped threshold and by kind."""
    for way, found in results.items():
        ordered = sorted(found["clean"], reverse=True)
        at = ordered[max(0, len(ordered) // 100)] + 1e-9
        print(
            f"{way}: recall {share(found['hit'], at):.3f} where 1 % of {len(ordered)} clean names alert (from {at:.3f})"
        )
    ours = results["word alignment (ours)"]
    print(
        f"ours at {THRESHOLD:.2f}: recall {share(ours['hit'], THRESHOLD):.3f}, clean names that alert {share(ours['clean'], THRESHOLD):.3f}"
    )
    by_kind = defaultdict(list)
    for kind, score in zip(kinds, ours["hit"], strict=True):
        by_kind[kind].append(score)
    print(
        "  " + ", ".join(f"{kind} {share(scores, THRESHOLD):.2f}" for kind, scores in sorted(by_kind.items()))
    )


def share(scores: list[float], threshold: float) -> float:
    """Return which part of the scores reaches the threshold."""
    return sum(score >= threshold for score in scores) / len(scores)


def ours_best(query: Subject, entity: int | None, hidden: str, times: list[float]) -> float:
    """Return our best score against one entity (without the name that is hidden), or against everybody."""
    start = time.perf_counter()
    with transaction.atomic():
        ids = queries.find_alike(normal_name(query.name), queries.find_candidates(normal_name(query.name)))
        found = {e.pk: queries.listed_of(e) for e in queries.list_entities(ids)}
    scores = {pk: compare(query, one).points for pk, one in found.items()}
    times.append(time.perf_counter() - start)
    if entity is None:
        return max(scores.values(), default=0) / 10_000
    if entity in found and hidden:
        names = [
            score_names(normal_name(query.name), normal_name(text)).points
            for _, text in found[entity].names
            if text != hidden
        ]
        return max(names, default=0) / 10_000
    return scores.get(entity, 0) / 10_000


def plain_best(
    scorer: Callable[..., float], name: str, listed: list[tuple[int, str, str]], entity: int, hidden: str
) -> float:
    """Return the best plain score against one entity."""
    query = normal_name(name).sorted_words
    return (
        max(
            (scorer(query, words) for pk, text, words in listed if pk == entity and text != hidden), default=0
        )
        / 100
    )


def variants(draw: random.Random, count: int) -> Iterator[tuple[str, Subject, int, str]]:
    """Yield (kind, query, entity, hidden name): listed names as people would write or disguise them."""
    people = list(ListedEntity.objects.filter(kind="PERSON").order_by("pk").prefetch_related("names"))
    firms = list(ListedEntity.objects.filter(kind="COMPANY").order_by("pk").prefetch_related("names"))
    for entity in draw.sample(people, count):
        words = entity.name.title().split()
        yield "exact", Subject("PERSON", entity.name), entity.pk, ""
        yield "reordered", Subject("PERSON", " ".join([words[-1], *words[:-1]])), entity.pk, ""
        yield "title", Subject("PERSON", f"Dr. {entity.name}"), entity.pk, ""
        yield "typo", Subject("PERSON", typo(draw, entity.name)), entity.pk, ""
        yield "two typos", Subject("PERSON", typo(draw, typo(draw, entity.name))), entity.pk, ""
        yield "Cyrillic", Subject("PERSON", cyrillic(entity.name)), entity.pk, ""
        if len(words) > 2:
            yield "middle dropped", Subject("PERSON", f"{words[0]} {words[-1]}"), entity.pk, ""
            yield (
                "initial",
                Subject("PERSON", " ".join([words[0], words[1][0] + ".", *words[2:]])),
                entity.pk,
                "",
            )
            yield (
                "joined",
                Subject("PERSON", words[0] + words[1].lower() + " " + " ".join(words[2:])),
                entity.pk,
                "",
            )
        alias = [name.text for name in entity.names.all() if name.kind == "STRONG"]
        if alias:
            hidden = draw.choice(alias)
            yield "unseen alias", Subject("PERSON", hidden), entity.pk, hidden
    for entity in draw.sample(firms, count):
        yield "company exact", Subject("COMPANY", entity.name), entity.pk, ""
        yield "company typo", Subject("COMPANY", typo(draw, entity.name)), entity.pk, ""
        yield "legal form added", Subject("COMPANY", f"{entity.name} GmbH"), entity.pk, ""


def typo(draw: random.Random, name: str) -> str:
    """Return the name with one letter dropped, doubled, swapped or replaced."""
    places = [
        index for index, letter in enumerate(name[1:-1], 1) if letter.isalpha() and name[index + 1].isalpha()
    ]
    if not places:
        return name
    at = draw.choice(places)
    changed = draw.choice((name[at + 1] + name[at], "", name[at] * 2, draw.choice("aeinorst")))
    return name[:at] + changed + name[at + (2 if len(changed) == 2 and changed[0] != changed[1] else 1) :]


def cyrillic(name: str) -> str:
    """Return the name as a Russian would spell its letters."""
    lowered = (
        name.lower()
        .replace("kh", "h")
        .replace("sh", "ш")
        .replace("ch", "ч")
        .replace("y", "j")
        .replace("w", "v")
    )
    return lowered.replace("c", "k").replace("q", "k").replace("x", "ks").translate(LATIN_TO_CYRILLIC)


def clean_names(draw: random.Random, count: int) -> Iterator[tuple[str, str]]:
    """Yield invented people and companies that are on no list."""
    for number in range(count):
        given, family = draw.choice(GIVEN_FAMILY)
        if number % 5:
            yield "PERSON", f"{draw.choice(given.split())} {draw.choice(family.split())}"
        else:
            yield (
                "COMPANY",
                f"{draw.choice(FIRMS)} {draw.choice(TRADES)} {draw.choice(('Ltd', 'GmbH', 'SARL'))}",
            )


if __name__ == "__main__":
    main()
