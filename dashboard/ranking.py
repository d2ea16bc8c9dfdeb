"""The parts of the ranking page."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts, navigation, numbers
from dashboard.cards import card
from dashboard.draw import Draw
from dashboard.shell import age_note
from dashboard.tables import clickable
from dashboard.texts import _
from dashboard.tiles import explanation, head, title
from metrics import METRICS
from metrics.ranking import DEFAULT as DEFAULT_METHOD


def _part_names() -> tuple[str, ...]:
    return tuple(part.metric for part in DEFAULT_METHOD.parts)


def movement(row: pd.Series) -> str:
    """Return the places won or lost as a sign and a number."""
    if pd.isna(row["rank"]) or pd.isna(row["previous_rank"]):
        return numbers.NONE
    steps = int(row["previous_rank"] - row["rank"])
    if steps == 0:
        return "="
    return f"▲ {steps}" if steps > 0 else f"▼ {-steps}"


def ranking_table(draw: Draw, ranking: pd.DataFrame) -> None:
    """Draw place, movement, score and the value of every part; a row opens the unit."""
    names = draw.names("unit", [str(code) for code in ranking["unit"]])
    parts = _part_names()
    table = pd.DataFrame(
        {
            "rank": ranking["rank"],
            "movement": ranking.apply(movement, axis=1),
            "unit": ranking["unit"].map(names),
            "score": ranking["score"],
            **{name: ranking[f"{name}_value"] for name in parts},
            "received": ranking["volume"],
        }
    )
    columns = {
        "rank": st.column_config.NumberColumn(_("Place"), width=52, alignment="center"),
        "movement": st.column_config.TextColumn(
            _("Moved"), width=70, help=_("Places won or lost against the period before")
        ),
        "unit": st.column_config.TextColumn(_("Unit"), width=140),
        "score": st.column_config.NumberColumn(_("Score"), width=65),
        **{
            name: st.column_config.NumberColumn(head(draw, name), width=82, help=explanation(draw, name))
            for name in parts
        },
        "received": st.column_config.NumberColumn(_("Received"), width=78),
    }
    with card("ranking", _("Places"), age_note(draw)):
        clickable(
            draw,
            table,
            columns,
            key="ranking_table",
            alt=_("Ranking of units"),
            shares=parts,
            counts=("rank", "received"),
            scores=("score",),
            on_row=lambda row: st.session_state.update(_ranked=str(ranking["unit"].iloc[row])),
        )
        unranked = int(ranking["rank"].isna().sum())
        if unranked:
            st.caption(
                _(
                    "{count} units received fewer than {minimum} dossiers: listed, not ranked",
                    count=unranked,
                    minimum=DEFAULT_METHOD.minimum_volume,
                )
            )
    if code := st.session_state.pop("_ranked", None):
        navigation.go(navigation.UNIT, unit=code)


def score_card(draw: Draw, ranking: pd.DataFrame) -> None:
    """Draw the points of which each score is made."""
    ranked = ranking[ranking["rank"].notna()]
    names = draw.names("unit", [str(code) for code in ranked["unit"]])
    parts = ranked[[f"{name}_points" for name in _part_names()]].astype(float).fillna(0)
    parts.columns = pd.Index(_part_names())
    titles = {name: title(draw, name) for name in _part_names()}
    with card("score", _("What the score is made of"), _("points of 100")):
        if ranked.empty:
            st.caption(_("No unit has enough dossiers in this period"))
            return
        figure = charts.score_parts(
            [names[str(code)] for code in ranked["unit"]], parts, titles, height=110 + 30 * len(ranked)
        )
        charts.show(figure, key="score_parts", alt=_("Points of each part of the score by unit"))


def method_card(draw: Draw) -> None:
    """Say how the score is computed: parts, weights, version."""
    with card("method", _("How the score is computed"), _("method {version}", version=DEFAULT_METHOD.version)):
        for part in DEFAULT_METHOD.parts:
            metric = METRICS[part.metric]
            weight = numbers.number(part.weight, draw.language)
            words = f"{metric.label.text(draw.language)}: {metric.definition.text(draw.language)}"
            st.markdown(_("**{weight} points** · {words}", weight=weight, words=words))
        st.caption(
            _(
                "A part in which nothing occurred is left out and the others count for its points. Equal scores share"
                " a place. This is our own estimate, not the official 766 score."
            )
        )
