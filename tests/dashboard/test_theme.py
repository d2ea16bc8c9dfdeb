"""The design system keeps its promises by calculation: contrast, colour blindness, one source of every colour."""

from __future__ import annotations

import itertools
import re
import tomllib

import pytest

from dashboard.theme import (
    ACHIEVEMENT,
    BURDEN,
    COLOURS,
    DARK,
    LIGHT,
    MARKDOWN,
    STATES,
    Meaning,
    Palette,
    Scale,
    css_variables,
    pairs,
)
from tests.conftest import ROOT

Rgb = tuple[float, float, float]
CONFIG = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))["theme"]
SIGHTS = {  # Machado, Oliveira, Fernandes 2009, severity 1, on linear RGB
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.01182, 0.04294, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.3039)),
}
APART = 0.10
"""Least distance in OKLab (Ottosson 2020); a just noticeable difference is about 0.02."""


def linear(colour: str) -> Rgb:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return red, green, blue


def luminance(colour: str) -> float:
    red, green, blue = linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    dim, bright = sorted((luminance(one), luminance(other)))
    return (bright + 0.05) / (dim + 0.05)


def seen(colour: str, sight: str) -> Rgb:
    """The colour in OKLab as somebody with this sight sees it."""
    raw = linear(colour)
    r, g, b = (min(1.0, max(0.0, sum(x * y for x, y in zip(row, raw, strict=True)))) for row in SIGHTS[sight])
    long = (0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b) ** (1 / 3)
    middle = (0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b) ** (1 / 3)
    short = (0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b) ** (1 / 3)
    return (
        0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short,
        1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short,
        0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short,
    )


def distance(one: str, other: str, sight: str) -> float:
    return sum((x - y) ** 2 for x, y in zip(seen(one, sight), seen(other, sight), strict=True)) ** 0.5


def test_the_measure_itself() -> None:
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)
    assert seen("#FFFFFF", "usual") == pytest.approx((1, 0, 0), abs=1e-3)
    assert distance("#FF0000", "#00FF00", "deuteranopia") < distance("#FF0000", "#00FF00", "usual") / 2


@pytest.mark.parametrize("dark", [False, True])
def test_every_pair_can_be_read(dark: bool) -> None:
    found = {pair.words: (contrast(pair.front, pair.ground), pair.least) for pair in pairs(dark=dark)}
    weak = {words: reached for words, (reached, least) in found.items() if reached < least}
    assert not weak


@pytest.mark.parametrize("sight", SIGHTS)
def test_states_stay_apart_for_every_sight(sight: str) -> None:
    near = {
        (str(a), str(b)): round(distance(COLOURS[a], COLOURS[b], sight), 3)
        for a, b in itertools.combinations(STATES, 2)
        if distance(COLOURS[a], COLOURS[b], sight) < APART
    }
    assert not near


@pytest.mark.parametrize("scale", [BURDEN, ACHIEVEMENT])
@pytest.mark.parametrize("dark", [False, True])
def test_scales_go_one_way(scale: Scale, dark: bool) -> None:
    lights = [seen(colour, "usual")[0] for colour in scale.steps(dark=dark)]
    assert lights == sorted(lights, reverse=not dark)
    assert min(abs(a - b) for a, b in itertools.pairwise(lights)) > 0.03


@pytest.mark.parametrize(("name", "theme"), [("light", LIGHT), ("dark", DARK)])
def test_streamlit_is_told_the_same(name: str, theme: Palette) -> None:
    told = CONFIG[name]
    assert told["primaryColor"] == theme.primary
    assert told["backgroundColor"] == theme.card
    assert told["textColor"] == theme.ink
    assert told["borderColor"] == theme.line
    for meaning in Meaning:
        assert told[f"{MARKDOWN[meaning]}Color"] == theme.text_colour(meaning), meaning


def test_the_stylesheets_take_their_colours_from_here() -> None:
    sheet = (ROOT / "dashboard" / "static" / "app.css").read_text(encoding="utf-8")
    assert not re.findall(r"#[0-9a-fA-F]{6}\b|#[0-9a-fA-F]{3}\b(?!\w)", sheet)
    named = set(re.findall(r"var\((--ioc-[a-z0-9-]+)", sheet))
    defined = set(re.findall(r"(--ioc-[a-z0-9-]+):", css_variables()))
    assert named <= defined, named - defined
