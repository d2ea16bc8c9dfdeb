"""The parts of the channel page: how dossiers come in and go out, and what could be handed in online but is not."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import navigation, numbers
from dashboard.board_cards import card_of, context_of, tile_cards
from dashboard.boards import channels
from dashboard.boards.build import answer
from dashboard.boards.declaration import Ask, Tile, Tiles
from dashboard.cards import card, good
from dashboard.draw import Draw
from dashboard.figures import figure
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.tables import clickable
from dashboard.texts import _, later
from metrics import METRICS
from warehouse.online_terms import in_online_terms

RATIO_KEY = "ratio"
RATIOS = channels.SHORT
HEADLINES = Tiles(
    "channels",
    (
        Tile(channels.OF_ALL, title=later("Online / all received")),
        Tile(channels.ELIGIBLE, title=later("Online / procedures with online service")),
        Tile("full_online_share"),
        Tile("partial_online_share"),
        Tile("post_in_share", title=later("Handed in by post")),
        Tile("post_out_share", title=later("Returned by post")),
    ),
)
ELECTRONIC = ("online_payment_share", "digitised_share", "e_result_share")
LONGEST = 200


def headlines(draw: Draw, view: View) -> None:
    """Draw the main ratios, each with its parts; the two online shares under two names."""
    tile_cards(draw, view, HEADLINES)


def mix(draw: Draw, view: View) -> None:
    """Draw the channels of the period as one bar."""
    card_of(draw, view, channels.MIX, height=78)


def courses(draw: Draw, view: View) -> None:
    """Draw twelve months: the channels, the two online shares, what was done electronically."""
    for column, chart, title in zip(
        st.columns(3, gap="small"),
        (
            channels.MIX_BY_MONTH,
            channels.share_course((channels.OF_ALL, channels.ELIGIBLE)),
            channels.share_course(ELECTRONIC),
        ),
        ("", _("Online, twelve months"), _("Payment, digitisation, results: twelve months")),
        strict=True,
    ):
        with column:
            card_of(draw, view, chart, height=290, title=title)


def by_unit_and_field(draw: Draw, view: View) -> None:
    """Draw one ratio, chosen by the reader, by unit with its target and by field."""
    with st.container(key="ratio-choice"):
        st.segmented_control(
            _("Ratio"),
            list(RATIOS),
            required=True,
            format_func=lambda metric: _(RATIOS[metric]),
            label_visibility="collapsed",
            **in_url(RATIO_KEY, channels.ELIGIBLE, RATIOS),
        )
    metric = selected(RATIO_KEY, channels.ELIGIBLE, RATIOS)
    left, right = st.columns([1.15, 1], gap="small")
    with left:
        card_of(draw, view, channels.by_dimension(metric, "unit", later("By unit, lowest first")), bars=24)
    with right:
        card_of(draw, view, channels.by_dimension(metric, "field", later("By field, lowest first")), bars=24)


def to_convert(draw: Draw, view: View) -> None:
    """List the procedures with online service that are still handed in on paper, most paper first."""
    table = channels.paper_procedures(answer(channels.TO_CONVERT_ASK, context_of(draw, view)))
    paper = float(table["paper"].sum())
    note = _("{paper} dossiers of {count} procedures", paper=numbers.number(paper, draw.language),
             count=numbers.number(len(table), draw.language))  # fmt: skip
    with card("to-convert", _("Still handed in on paper"), f"{note} · {age_note(draw)}"):
        st.caption(
            _("Procedures whose dossiers could come in online: guide the applicant, or check why the service is unused")
        )
        if table.empty:
            good(_("No dossier of a procedure with online service was handed in on paper"))
            return
        shown = table.head(LONGEST)
        clickable(
            draw,
            _readable(draw, shown),
            _columns(),
            key="to_convert_table",
            alt=_("Procedures with online service that are still handed in on paper"),
            counts=("paper", "known"),
            shares=("share",),
            height=min(38 + 34 * len(shown), 480),
            on_row=lambda row: st.session_state.update(_converted=str(shown["procedure"].iloc[row])),
        )
        if len(table) > len(shown):
            st.caption(_("the {shown} most of {count}", shown=len(shown), count=len(table)))
    if code := st.session_state.pop("_converted", None):
        navigation.go(navigation.UNIT, procedure=code)


def _readable(draw: Draw, table: pd.DataFrame) -> pd.DataFrame:
    names = draw.names("procedure", [str(code) for code in table["procedure"]])
    levels = draw.names("online_level", [int(level) for level in table["online_level"].unique()])
    return table.assign(name=table["procedure"].map(names), level=table["online_level"].astype(int).map(levels))[
        ["procedure", "name", "level", "paper", "known", "share"]
    ]


def _columns() -> dict[str, object]:
    number = st.column_config.NumberColumn
    return {
        "procedure": st.column_config.TextColumn(_("Code"), width="small"),
        "name": st.column_config.TextColumn(_("Procedure"), width="large"),
        "level": st.column_config.TextColumn(_("Online service"), width="small"),
        "paper": number(_("Handed in on paper"), width="small"),
        "known": number(_("Received"), width="small"),
        "share": number(_("Online"), width="small"),
    }


def definitions(draw: Draw, view: View) -> None:
    """Draw every ratio of the page with its parts, target and definition."""
    context = context_of(draw, view)
    frame = answer(Ask(channels.SHARES), context)
    targets = {name: context.target(name) for name in channels.SHARES}
    rows = []
    for name in channels.SHARES:
        found, metric = figure(frame, name), METRICS[name]
        rows.append(
            {
                _("Ratio"): context.label(name),
                _("Value"): found.text(draw.language) if found.denominator else _("nothing occurred"),
                _("Numerator"): numbers.number(found.numerator, draw.language),
                _("Denominator"): numbers.number(found.denominator, draw.language),
                _("Target"): numbers.percent(targets[name], draw.language),
                _("Definition"): in_online_terms(metric.definition, context.terms).text(draw.language),
                _("Legal basis"): metric.legal_basis or numbers.NONE,
            }
        )
    with card("definitions", _("What each ratio says"), age_note(draw)):
        st.table(pd.DataFrame(rows), border="horizontal", hide_index=True)
