"""
Drawing identity documents of nobody: plain invented layouts, marked SPECIMEN all over, for the demo and for tests.

They resemble no country's document. Machine-readable zones are well formed, so that checks have something to read.
"""

import io
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

from anyascii import anyascii
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from compliance.documents.form import Form, letters_of, spellings
from compliance.documents.mrz import make_td1, make_td3
from flowlet.core.countries import country_name

_FONTS = Path(__file__).resolve().parents[1] / "backoffice" / "fonts"
_PAPERS = ("#dfe9f2", "#f3e6dc", "#e4efdf", "#efe0ea", "#ece9d8", "#dceceb")
_DESKS = ("#5b4a3a", "#8d8f94", "#2f3b46", "#b9a488", "#43564a", "#6e5a6b")
_SKINS = ("#f0c8a4", "#c98f63", "#8d5a3b", "#e3b38d", "#5f3d2b", "#f4d7bf")
_SIZE = (980, 680)


@dataclass(frozen=True, slots=True)
class Specimen:
    """One drawn file: JPEG, and the lines of its zone, '' on a side without one."""

    jpeg: bytes
    zone: str


@lru_cache(maxsize=32)
def _font(size: int, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSansCondensed-Bold.ttf" if bold else "DejaVuSansCondensed.ttf"
    return ImageFont.truetype(str(_FONTS / name), size)


def zone_lines(form: Form, sex: str = "X") -> tuple[str, ...]:
    """Return the zone of a form's document: two lines for a passport, three for a card."""
    surname, given = (" ".join(next(iter(spellings(name)))) for name in (form.family_name, form.given_name))
    parts = {
        "issuer": letters_of(form.document_country),
        "surname": surname,
        "given_names": given,
        "number": form.document_number,
        "birth": form.birth_date,
        "sex": {"X": "<"}.get(sex, sex),
        "expiry": form.document_expiry,
    }
    if form.document_type == "PASSPORT":
        lines: tuple[str, ...] = make_td3(**parts)  # type: ignore[arg-type] # a table of texts and days
    else:
        lines = make_td1(**parts)  # type: ignore[arg-type] # as above
    return lines


def draw_identity(form: Form, *, seed: str, blur: float = 0) -> list[Specimen]:
    """Return the sides of an identity document: one for a passport, front and back for a card."""
    rng = random.Random(seed)  # noqa: S311 - a drawing, not a secret
    lines = zone_lines(form)
    if form.document_type == "PASSPORT":
        return [Specimen(_photo(_front(form, rng, lines), rng, blur), "\n".join(lines))]
    back = _card(rng, "BACK", country_name(form.document_country))
    _zone(back, lines)
    return [
        Specimen(_photo(_front(form, rng, ()), rng, blur), ""),
        Specimen(_photo(back, rng, blur), "\n".join(lines)),
    ]


def draw_letter(form: Form, *, seed: str, on: date) -> Specimen:
    """Return a letter of an invented utility with the form's address."""
    rng = random.Random(seed)  # noqa: S311 - as above
    sheet = Image.new("RGB", (760, 1000), "#fbfaf7")
    pen = ImageDraw.Draw(sheet)
    pen.rectangle((0, 0, 760, 90), fill=rng.choice(_DESKS))
    pen.text((40, 28), "Harbour Light & Water", font=_font(30, bold=True), fill="white")
    words = [
        f"{form.given_name} {form.family_name}",
        form.address,
        f"{form.postal_code} {form.city}",
        country_name(form.residence),
    ]
    for row, text in enumerate(words):
        pen.text((40, 150 + row * 30), text, font=_font(22), fill="#20242a")
    pen.text((520, 150), f"{on:%d %b %Y}", font=_font(20), fill="#20242a")
    pen.text((40, 330), f"Bill no. {rng.randint(10_000, 99_999)}", font=_font(24, bold=True), fill="#20242a")
    for row in range(5):
        pen.text((40, 400 + row * 44), f"Meter {row + 1}", font=_font(20), fill="#20242a")
        pen.text(
            (560, 400 + row * 44),
            f"{rng.randint(4, 90)}.{rng.randint(10, 99)}",
            font=_font(20),
            fill="#20242a",
        )
        pen.line((40, 434 + row * 44, 720, 434 + row * 44), fill="#c9ccd1")
    _mark(sheet)
    return Specimen(_photo(sheet, rng, 0), "")


def _card(rng: random.Random, side: str, country: str) -> Image.Image:
    card = Image.new("RGB", _SIZE, rng.choice(_PAPERS))
    pen = ImageDraw.Draw(card)
    for _ in range(rng.randint(18, 30)):  # a ground of arcs, another for each seed
        left, top, size = rng.randint(-300, 900), rng.randint(-300, 600), rng.randint(120, 700)
        tint = tuple(rng.randint(170, 235) for _ in range(3))
        pen.arc(
            (left, top, left + size, top + size),
            rng.randint(0, 180),
            rng.randint(180, 360),
            fill=tint,
            width=rng.randint(2, 14),
        )
    pen.rectangle((0, 0, _SIZE[0], 62), fill=rng.choice(_DESKS))
    pen.text((28, 14), f"{anyascii(country).upper()}  ·  {side}", font=_font(28, bold=True), fill="white")
    return card


def _front(form: Form, rng: random.Random, lines: Sequence[str]) -> Image.Image:
    title = form.document_type.replace("_", " ")
    card = _card(rng, title, country_name(form.document_country))
    _portrait(card, rng)
    pen = ImageDraw.Draw(card)
    fields = (
        ("Surname", form.family_name),
        ("Given names", form.given_name),
        ("Nationality", country_name(form.nationality)),
        ("Date of birth", f"{form.birth_date:%d %b %Y}"),
        ("Document no.", form.document_number),
        ("Valid until", f"{form.document_expiry:%d %b %Y}"),
    )
    for row, (label, value) in enumerate(fields):
        top = 84 + row * 72
        pen.text((340, top), label, font=_font(16), fill="#4a5260")
        pen.text((340, top + 20), value, font=_font(28, bold=True), fill="#14181f")
    if lines:
        _zone(card, lines)
    _mark(card)
    return card


def _portrait(card: Image.Image, rng: random.Random) -> None:
    """Draw somebody who does not exist: an oval, hair, shoulders."""
    left, top = rng.randint(24, 48), rng.randint(84, 110)
    frame = Image.new("RGB", (260, 340), rng.choice(("#cfd6dc", "#e8e2d6", "#b8c4c9", "#f2f2ee")))
    pen = ImageDraw.Draw(frame)
    middle, width, height = 130 + rng.randint(-14, 14), rng.randint(58, 76), rng.randint(84, 104)
    hair = rng.choice(("#2a2019", "#5b3a1e", "#8c6a3a", "#171717", "#a9a39a"))
    rise = rng.randint(10, 46)
    pen.ellipse(
        (middle - width - 12, 150 - height - rise, middle + width + 12, 190 + rng.randint(0, 70)), fill=hair
    )
    pen.ellipse(
        (middle - 120, 260, middle + 120, 470),
        fill=rng.choice(("#2c3e50", "#7b2d26", "#3f5d3a", "#4b4453", "#c2b280")),
    )
    pen.ellipse((middle - width, 150 - height + 14, middle + width, 150 + height), fill=rng.choice(_SKINS))
    for side in (-1, 1):
        pen.ellipse((middle + side * 26 - 6, 140, middle + side * 26 + 6, 152), fill="#1c1c1c")
    pen.arc((middle - 22, 180, middle + 22, 206), 20, 160, fill="#7a3b34", width=4)
    card.paste(frame, (left, top))


def _zone(card: Image.Image, lines: Sequence[str]) -> None:
    pen = ImageDraw.Draw(card)
    top = _SIZE[1] - 36 * len(lines) - 22
    pen.rectangle((0, top - 12, _SIZE[0], _SIZE[1]), fill="#f4f4f0")
    step = (_SIZE[0] - 60) / max(len(line) for line in lines)
    for row, line in enumerate(lines):
        for place, char in enumerate(line):
            pen.text((30 + place * step, top + row * 36), char, font=_font(26, bold=True), fill="#101010")


def _mark(card: Image.Image) -> None:
    """Write SPECIMEN across, so that nobody takes it for a document."""
    layer = Image.new("RGBA", card.size, (0, 0, 0, 0))
    pen = ImageDraw.Draw(layer)
    for row in range(3):
        pen.text(
            (card.width // 8, card.height // 6 + row * card.height // 4),
            "SPECIMEN",
            font=_font(card.width // 8, bold=True),
            fill=(190, 30, 40, 46),
        )
    turned = layer.rotate(24)
    card.paste(turned, (0, 0), turned)


def _photo(card: Image.Image, rng: random.Random, blur: float) -> bytes:
    """Lay the card on a desk, a little askew, under uneven light, as a phone would see it."""
    scale, turn = rng.uniform(0.86, 1.0), rng.uniform(-3.0, 3.0)
    card = card.resize((round(card.width * scale), round(card.height * scale)))
    desk = Image.new(
        "RGB", (card.width + rng.randint(60, 220), card.height + rng.randint(60, 220)), rng.choice(_DESKS)
    )
    mask = Image.new("L", card.size, 255).rotate(turn, expand=True)
    place = (
        rng.randint(10, max(11, desk.width - mask.width)),
        rng.randint(10, max(11, desk.height - mask.height)),
    )
    desk.paste(card.rotate(turn, expand=True), place, mask)
    light = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270))).resize(desk.size)
    shade = Image.new("RGB", desk.size, "black")
    desk = Image.composite(desk, shade, light.point([190 + value // 4 for value in range(256)]))
    if blur:
        desk = desk.filter(ImageFilter.GaussianBlur(blur))
    body = io.BytesIO()
    desk.save(body, "JPEG", quality=80)
    return body.getvalue()
