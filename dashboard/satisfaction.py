"""The parts of the satisfaction page: one block for each answer form, because scales are never mixed."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import numbers
from dashboard.board_cards import card_of, context_of, tile_cards
from dashboard.boards import satisfaction
from dashboard.boards.build import answer
from dashboard.boards.declaration import Ask, Tile, Tiles
from dashboard.boards.satisfaction import SCALES, Scale
from dashboard.cards import card
from dashboard.draw import Draw
from dashboard.figures import figure
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.texts import _, later
from metrics.method766 import METHOD
from warehouse.vocabulary import label

GROUP_766 = "MDHL"
"""The group of the 766 index that is called satisfaction."""


def overall(draw: Draw, view: View) -> None:
    """Draw how many answered, of every form together: the shares below speak only of them."""
    left, right = st.columns(2, gap="small")
    with left:
        tile_cards(draw, view, Tiles("answers", (Tile("answers"), Tile("response_rate"))))
    with right, card("reading", _("How to read this page")):
        st.caption(
            _(
                "A satisfied share speaks only of those who answered: it stands with n and its 95 % interval. Where"
                " intervals overlap, the order of units says little. Answer forms are never added up."
            )
        )


def scale_blocks(draw: Draw, view: View) -> None:
    """Draw a block for each answer form that was used in the last twelve months."""
    means = tuple(scale.mean for scale in SCALES)
    frame = answer(Ask(means), context_of(draw, view))
    used = [scale for scale in SCALES if figure(frame, scale.mean).denominator]
    for scale in used or SCALES[:1]:
        with st.container(key=f"scale-{scale.code}", gap="small"):
            st.subheader(_("Answer form: {name}", name=label(scale.code, draw.language)), anchor=False)
            _block(draw, view, scale)
    if unused := [label(scale.code, draw.language) for scale in SCALES if scale not in used]:
        st.caption(_("Not answered in this period: {forms}", forms=", ".join(unused)))


def _block(draw: Draw, view: View, scale: Scale) -> None:
    tiles = tuple(Tile(metric) for metric in (scale.share, scale.mean) if metric)
    left, right = st.columns([1, 2.2], gap="small")
    with left:
        tile_cards(draw, view, Tiles(f"scale-{scale.code}", tiles))
        card_of(draw, view, satisfaction.scores(scale.code), height=150)
    with right:
        if scale.share:
            card_of(draw, view, satisfaction.course(scale.share), height=388)
    if scale.share:
        by_unit, by_device = st.columns([1.3, 1], gap="small")
        with by_unit:
            card_of(draw, view, satisfaction.by_dimension(scale.share, "unit", later("By unit")), bars=24)
        with by_device:
            card_of(draw, view, satisfaction.by_dimension(scale.share, "device", later("By device")))
            card_of(draw, view, satisfaction.by_question(scale.code))
        return
    card_of(draw, view, satisfaction.by_question(scale.code))


def component_766(draw: Draw, view: View) -> None:
    """Say what the 766 index calls satisfaction: not a survey, and only as the portal scored it."""
    root = draw.settings.display.root_unit
    told = draw.official_scores(view.period)
    group = next(group for group in METHOD.groups if group.code == GROUP_766)
    rows = []
    for part in (part for part in METHOD.parts if part.group == GROUP_766):
        official = told.get((root or "", part.code))
        score = None if official is None else official.score
        rows.append(
            {
                _("Indicator"): f"{part.number} {part.label.text(draw.language)}",
                _("Official score"): numbers.number(score, draw.language, 2),
                _("Maximum"): numbers.number(part.maximum, draw.language),
                _("Why not from our data"): part.missing.text(draw.language) if part.missing else numbers.NONE,
            }
        )
    with card("component-766", group.label.text(draw.language), age_note(draw)):
        st.caption(
            _(
                "Not a survey: the portal makes it of overdue dossiers and complaints. It is another figure than the"
                " shares above and is never computed from answers."
            )
        )
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
