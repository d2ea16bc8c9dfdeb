"""Charts: small plotly figures in one style. Titles are words above the chart; series are labelled directly."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import numbers
from dashboard.draw import Draw
from dashboard.theme import CHANNEL_COLOURS, CHART_CONFIG, COLOURS, ON_MARK, Meaning, faint, layout
from warehouse.vocabulary import Channel, label


def is_dark() -> bool:
    """Return whether this session's theme is dark."""
    return st.context.theme.type == "dark"


def show(figure: go.Figure, *, key: str, alt: str) -> None:
    """Draw a figure with the product's settings."""
    st.plotly_chart(figure, key=key, config=CHART_CONFIG, theme=None, alt=alt)


def _dates(figure: go.Figure, *, by_month: bool) -> None:
    figure.update_xaxes(tickformat="%m/%Y" if by_month else "%d/%m", hoverformat="%m/%Y" if by_month else "%d/%m/%Y")


def _legend_on_top(figure: go.Figure) -> None:
    legend = {
        "orientation": "h",
        "yref": "container",
        "y": 1.0,
        "yanchor": "top",
        "x": 0,
        "xanchor": "left",
        "itemclick": False,
    }
    figure.update_layout(showlegend=True, legend=legend, margin={"t": 30})


def in_and_out(
    received: pd.Series, resolved: pd.Series, names: tuple[str, str], *, by_month: bool, height: int = 290
) -> go.Figure:
    """Bars of received beside resolved along time."""
    figure = go.Figure(layout=layout(dark=is_dark(), height=height))
    for values, name, colour in zip(
        (received, resolved), names, (COLOURS[Meaning.UNKNOWN], COLOURS[Meaning.NEUTRAL]), strict=True
    ):
        figure.add_bar(x=values.index, y=values, name=name, marker={"color": colour, "cornerradius": 2})
    figure.update_layout(barmode="group", bargap=0.25)
    _legend_on_top(figure)
    figure.update_traces(hovertemplate="%{y:,.0f}")
    _dates(figure, by_month=by_month)
    return figure


def backlog(
    opened: pd.Series, overdue: pd.Series, names: tuple[str, str], *, by_month: bool, height: int = 290
) -> go.Figure:
    """Lines of open and overdue dossiers at the end of each day or month, labelled at their ends."""
    figure = go.Figure(layout=layout(dark=is_dark(), height=height))
    for values, name, colour, fill in (
        (opened, names[0], COLOURS[Meaning.NEUTRAL], faint(COLOURS[Meaning.NEUTRAL], 0.12)),
        (overdue, names[1], COLOURS[Meaning.OVERDUE], faint(COLOURS[Meaning.OVERDUE], 0.18)),
    ):
        figure.add_scatter(
            x=values.index,
            y=values,
            name=name,
            mode="lines",
            line={"color": colour, "width": 2.5},
            fill="tozeroy",
            fillcolor=fill,
        )
    _legend_on_top(figure)
    figure.update_traces(hovertemplate="%{y:,.0f}")
    _dates(figure, by_month=by_month)
    return figure


def channel_strip(draw: Draw, counts: pd.Series, height: int = 74) -> go.Figure:
    """One bar of the channel mix; every part carries its word, count and share."""
    total = float(counts.sum())
    figure = go.Figure(layout=layout(dark=is_dark(), height=height))
    for code in (Channel.ONLINE, Channel.IN_PERSON, Channel.POST, Channel.OTHER):
        value = float(counts.get(int(code), 0))
        if value <= 0:
            continue
        share = value / total
        parts = f"{numbers.number(value, draw.language)} · {numbers.percent(share, draw.language)}"
        words = f"<b>{label(code, draw.language)}</b><br>{parts}"
        figure.add_bar(
            y=[""],
            x=[value],
            orientation="h",
            marker={"color": CHANNEL_COLOURS[code], "line": {"width": 0}},
            text=words if share > 0.12 else "",
            textposition="inside",
            insidetextanchor="start",
            textangle=0,
            textfont={"color": ON_MARK, "size": 12},
            hovertemplate=words.replace("<br>", ": ") + "<extra></extra>",
        )
    figure.update_layout(barmode="stack", bargap=0, margin={"l": 0, "r": 0, "t": 0, "b": 0}, hovermode="closest")
    figure.update_xaxes(visible=False, range=[0, total])
    figure.update_yaxes(visible=False)
    return figure


def unit_bars(names: list[str], values: list[float]) -> go.Figure:
    """Horizontal bars of one value for each unit, most on top."""
    figure = go.Figure(layout=layout(dark=is_dark(), height=60 + 30 * len(names)))
    figure.add_bar(
        y=names,
        x=values,
        orientation="h",
        marker={"color": COLOURS[Meaning.NEUTRAL]},
        texttemplate="%{x:,}",
        hoverinfo="skip",
    )
    figure.update_yaxes(autorange="reversed", rangemode="normal")
    figure.update_xaxes(visible=False)  # the bars carry their numbers
    return figure


def score_parts(
    names: list[str], parts: pd.DataFrame, titles: dict[str, str], *, height: int, mine: str | None = None
) -> go.Figure:
    """Stacked bars of the points that make up each unit's score, best on top."""
    colours = ("#1E589C", "#3E7CC4", "#7FAEDD", "#B9CFE8")
    figure = go.Figure(layout=layout(dark=is_dark(), height=height))
    shown = [f"<b>{name}</b>" if name == mine else name for name in names]
    for column, colour in zip(parts.columns, colours, strict=False):
        figure.add_bar(
            y=shown,
            x=parts[column],
            orientation="h",
            name=titles[column],
            marker={"color": colour, "line": {"width": 0}},
            hovertemplate="%{x:,.1f}",
        )
    figure.update_layout(
        barmode="stack",
        bargap=0.28,
        hovermode="y unified",
        showlegend=True,
        legend={"orientation": "h", "yref": "container", "y": 1.0, "yanchor": "top", "x": 0, "traceorder": "normal"},
        margin={"t": 92},
    )
    figure.update_yaxes(autorange="reversed", rangemode="normal")
    figure.update_xaxes(range=[0, 100], showgrid=True)
    return figure
