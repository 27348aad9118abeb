"""
Words that carry little of a name: titles, particles, legal forms; and letters that look alike.

All entries are in the normal form: Latin letters, lower case. This is data of the engine version: a change of it
changes scores, so it goes with a new `ENGINE_VERSION`.
"""

TITLES = frozenset(
    "mr mrs ms miss mister madam sir lord lady dame dr doctor prof professor ing eng engineer hon honorable "
    "general gen colonel col major maj captain capt lieutenant lt sergeant sgt admiral brigadier commander cmdr marshal "
    "sheikh shaykh shaikh sheik cheikh mullah mulla maulana mawlana mawlawi maulvi moulvi haji hajji hajj qari hafiz "
    "imam ayatollah hojatoleslam sayyid sayed seyed mohtarma don dona herr frau monsieur senor senora "
    "president minister ambassador father reverend rev saint jr sr junior senior ii iii".split()
)

PARTICLES = frozenset(
    "al el ul ad ar as ash az an at il bin ben ibn bint binti bint ould uld abu abou umm de del della di da do dos das du des "
    "la le los las van von der den ter ten zu zum zur y e and the of for und et en af av san".split()
)

# The longest spelling first: "limited liability company" must not become "ltd liability company".
_LEGAL_SPELLINGS = {
    "llc": (
        "limited liability company",
        "limited liability co",
        "obshchestvo s ogranichennoy otvetstvennostyu",
        "llc",
        "l l c",
        "sp z oo",
        "sp z o o",
        "ooo",
        "tov",
        "too",
    ),
    "jsc": (
        "open joint stock company",
        "public joint stock company",
        "closed joint stock company",
        "private joint stock company",
        "joint stock company",
        "joint stock co",
        "otkrytoe aktsionernoe obshchestvo",
        "aktsionernoye obshchestvo",
        "zakrytoe aktsionernoe obshchestvo",
        "aktsionernoe obshchestvo",
        "ojsc",
        "pjsc",
        "cjsc",
        "jsc",
        "oao",
        "zao",
        "pao",
        "ao",
    ),
    "plc": ("public limited company", "plc"),
    "ltd": (
        "private limited",
        "pvt limited",
        "pvt ltd",
        "pte ltd",
        "pty ltd",
        "co ltd",
        "company limited",
        "limited",
        "ltd",
    ),
    "gmbh": ("gesellschaft mit beschrankter haftung", "gesellschaft mit beschraenkter haftung", "gmbh"),
    "ag": ("aktiengesellschaft", "ag"),
    "sa": ("sociedad anonima", "societe anonyme", "sociedade anonima", "s a", "sa"),
    "sadecv": ("sociedad anonima de capital variable", "s a de c v", "sa de cv"),
    "sarl": ("societe a responsabilite limitee", "s a r l", "sarl"),
    "srl": (
        "sociedad de responsabilidad limitada",
        "societa a responsabilita limitata",
        "societatea cu raspundere limitata",
        "s r l",
        "srl",
    ),
    "spa": ("societa per azioni", "s p a", "spa"),
    "bv": ("besloten vennootschap", "b v", "bv"),
    "nv": ("naamloze vennootschap", "n v", "nv"),
    "inc": ("incorporated", "inc"),
    "corp": ("corporation", "corp"),
    "co": ("company", "co", "cie", "compagnie"),
    "lp": ("limited partnership", "l p", "lp"),
    "llp": ("limited liability partnership", "l l p", "llp"),
    "bhd": ("sendirian berhad", "sdn bhd", "berhad", "bhd"),
    "as": ("anonim sirketi", "a s"),
    "ab": ("aktiebolag", "ab"),
    "oy": ("osakeyhtio", "oyj", "oy"),
    "kk": ("kabushiki kaisha", "k k", "kk"),
    "ltda": ("limitada", "cia ltda", "ltda"),
    "fze": ("free zone establishment", "fze", "fzco", "fzc", "fz llc"),
    "est": ("establishment", "est"),
}
LEGAL_FORMS = frozenset(_LEGAL_SPELLINGS)
LEGAL_PHRASES: dict[tuple[str, ...], str] = {
    tuple(spelling.split()): form for form, spellings in _LEGAL_SPELLINGS.items() for spelling in spellings
}
LEGAL_PHRASE_LONGEST = max(len(phrase) for phrase in LEGAL_PHRASES)

# Words that say what a company does; they tell companies apart less than a name does.
COMPANY_WORDS = frozenset(
    "group holding holdings international trading general company enterprise enterprises industries industrial services "
    "solutions global limited import export commercial trade business".split()
)

# One letter for another that a reader cannot tell apart (Unicode UTS 39 confusables, Cyrillic and Greek to Latin).
_CYRILLIC = "авеіјкмнорсԛѕтухԝһӏԁАВЕІЈКМНОРСЅТУХԜ"
_CYRILLIC_AS = "abeijkmhopcqstyxwhldABEIJKMHOPCSTYXW"
_GREEK = "αβγεικνορτυχΑΒΕΖΗΙΚΜΝΟΡΤΥΧ"
_GREEK_AS = "abyeikvoptuxABEZHIKMNOPTYX"
LOOKALIKES: dict[int, str] = dict(
    zip(map(ord, _CYRILLIC + _GREEK), _CYRILLIC_AS + _GREEK_AS, strict=True),
)

# Digits written for letters inside a word, as in "0sama".
DIGITS_AS_LETTERS: dict[int, str] = {
    ord("0"): "o",
    ord("1"): "i",
    ord("3"): "e",
    ord("4"): "a",
    ord("5"): "s",
}
SIGNS_AS_LETTERS: dict[int, str] = {ord("$"): "s", ord("@"): "a"}

NUMBER_WORDS: dict[str, str] = {
    word: str(value)
    for value, words in enumerate(
        (
            ("zero",),
            ("one", "first", "1st"),
            ("two", "second", "2nd"),
            ("three", "third", "3rd"),
            ("four", "fourth", "4th"),
            ("five", "fifth", "5th"),
            ("six", "sixth", "6th"),
            ("seven", "seventh", "7th"),
            ("eight", "eighth", "8th"),
            ("nine", "ninth", "9th"),
            ("ten", "tenth", "10th"),
        )
    )
    for word in words
}
