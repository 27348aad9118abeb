"""Every pair of colours that can meet on a page, worked out from the style sheet itself (WCAG 2.2, 1.4.3 and 1.4.11)."""

import re
from pathlib import Path

import pytest

TOKENS = Path(__file__).parents[3] / "static" / "flowlet" / "tokens.css"
COLOURS = {
    name: (light, dark)
    for name, light, dark in re.findall(
        r"--([\w-]+):light-dark\((#[0-9A-F]{6}),(#[0-9A-F]{6})\)", TOKENS.read_text()
    )
}
GROUNDS = ("ground", "side", "surface", "raised", "sunken", "hover", "selected")
TEXTS = [(text, ground) for text in ("ink", "ink-2", "ink-3", "accent-text") for ground in GROUNDS]
BADGES = [(name, f"{name}-bg") for name in ("ok", "warn", "bad", "info", "wait", "neutral")]
ON_BADGES = [(name, ground) for name in ("ok", "warn", "bad") for ground in ("surface", "hover", "selected")]
BUTTONS = [("on-accent", name) for name in ("accent", "accent-hover", "danger", "danger-hover")]
EDGES = [("control", ground) for ground in ("ground", "surface", "raised")]
BARS = [(f"chart-{number}", "surface") for number in (1, 2, 3, 4)]


def luminance(colour: str) -> float:
    channels = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, lighter = sorted((luminance(one), luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def test_the_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("text", "ground"), TEXTS + BADGES + ON_BADGES + BUTTONS)
def test_text_can_be_read_on_its_ground(text: str, ground: str, scheme: int) -> None:
    assert contrast(COLOURS[text][scheme], COLOURS[ground][scheme]) >= 4.5


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
@pytest.mark.parametrize(("edge", "ground"), EDGES + BARS)
def test_edges_and_bars_stand_out_from_their_ground(edge: str, ground: str, scheme: int) -> None:
    assert contrast(COLOURS[edge][scheme], COLOURS[ground][scheme]) >= 3
