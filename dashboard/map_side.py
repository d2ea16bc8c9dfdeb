"""Beside the map: the area's figure, what the colours mean and how many units have them, and every unit in a list."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import charts
from dashboard.draw import Draw
from dashboard.map_ask import Answer, parts
from dashboard.map_classes import LENGTHS, reading, value_text
from dashboard.map_places import Places
from dashboard.maps import UNKNOWN
from dashboard.state import in_url, selected
from dashboard.tables import clickable
from dashboard.texts import _, later, plain
from dashboard.theme import layout
from dashboard.tiles import explanation
from metrics import METRICS, Kind
from metrics.metric import Unit

ORDER_KEY = "order"
ORDERS = {"most": later("Highest first"), "least": later("Lowest first")}
NAMED = 6
"""Units without a place that are named in full."""


def side(draw: Draw, found: Answer, units: pd.DataFrame, places: Places, month: str) -> None:
    """Draw the panel; `units` are those of the answer."""
    del month
    _total(draw, found)
    _legend(draw, found)
    _list(draw, found, units)
    _without(units, places)


def _total(draw: Draw, found: Answer) -> None:
    """Write the figure of the whole area with its parts."""
    text = value_text(found.metric, found.total.value, draw.language)
    if found.total.value is None:
        text = _("nothing occurred")
    small = parts(found.metric, found.total.numerator or 0, _number(found.total.denominator), draw.language)
    words = f":gray[{small}]" if small and found.total.value is not None else ""
    where = _("in the whole area")
    st.markdown(f"**{text}** {where} {words}", help=explanation(draw, found.metric))


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _legend(draw: Draw, found: Answer) -> None:
    """Draw one bar for each class: its colour, what it holds, and how many units have it."""
    dark = st.context.theme.type == "dark"
    words = found.classes.words(found.metric, draw.language)
    counts = found.known.map(found.classes.index).value_counts()
    shown = [(text, int(counts.get(n, 0)), found.classes.colours(dark=dark)[n]) for n, text in enumerate(words)]
    missing = len(found.rows) - len(found.known)
    bars = [*reversed(shown), *([(_("nothing occurred"), missing, UNKNOWN[dark])] if missing else [])]
    counted = [_("{count} units", count=count) for _text, count, _colour in bars]
    figure = go.Figure(layout=layout(dark=dark, height=18 + 21 * len(bars)))
    ink = "#9AA8C0" if dark else "#5B6880"
    figure.add_bar(
        y=[text for text, _count, _colour in bars],
        x=[count for _text, count, _colour in bars],
        orientation="h",
        marker={
            "color": [colour for _text, _count, colour in bars],
            "line": {"width": 1, "color": ink},
            "pattern": {
                "shape": ["/" if text == _("nothing occurred") else "" for text, _count, _colour in bars],
                "size": 6,
            },
        },
        text=counted,
        textposition="outside",
        cliponaxis=False,
        hoverinfo="skip",
    )
    figure.update_layout(bargap=0.22, margin={"l": 4, "r": 70, "t": 2, "b": 2}, font={"size": 12})
    figure.update_yaxes(autorange="reversed", rangemode="normal", type="category", ticks="", showgrid=False)
    figure.update_xaxes(visible=False)
    alt = "; ".join(f"{text}: {units}" for (text, _count, _colour), units in zip(bars, counted, strict=True))
    charts.show(figure, key="map_legend", alt=f"{reading(found.metric)}. {alt}")
    st.caption(reading(found.metric))


def _list(draw: Draw, found: Answer, units: pd.DataFrame) -> None:
    """Draw every unit with place, value and parts; a row opens the unit."""
    st.segmented_control(
        _("Order"),
        list(ORDERS),
        required=True,
        format_func=lambda name: _(ORDERS[name]),
        label_visibility="collapsed",
        **in_url(ORDER_KEY, "most", ORDERS),
    )
    least = selected(ORDER_KEY, "most", ORDERS) == "least"
    rows = found.rows.sort_values(["few", "value"], ascending=[True, least], na_position="last", kind="stable")
    names = dict(zip(units["code"], units["name"], strict=True))
    metric = METRICS[found.metric]
    size = LENGTHS[metric.unit][0] if metric.unit in LENGTHS else 1.0
    table = pd.DataFrame(
        {
            "place": rows["place"],
            "unit": [names.get(code, code) for code in rows.index],
            "value": rows["value"] / size,
        }
    )
    if metric.kind in {Kind.RATIO, Kind.DISTRIBUTION}:
        pairs = zip(rows["numerator"], rows["denominator"], strict=True)
        table["parts"] = [parts(found.metric, top, bottom, draw.language) if bottom else "" for top, bottom in pairs]
    share = ("value",) if metric.unit is Unit.SHARE else ()
    score = ("value",) if size > 1 or metric.unit in {Unit.POINTS, Unit.WORKING_DAYS} else ()
    head = _(LENGTHS[metric.unit][1]) if metric.unit in LENGTHS else _("Value")
    columns = {
        "place": st.column_config.NumberColumn("#", width=44, alignment="right"),
        "unit": st.column_config.TextColumn(_("Unit"), width=150),
        "value": st.column_config.NumberColumn(head[:1].upper() + head[1:], width=78, alignment="right"),
        "parts": st.column_config.TextColumn(_("Parts"), width=92, help=_("Few cases stand last and have no place")),
    }
    with st.container(key="map-list", height="stretch"):
        clickable(
            draw,
            table,
            columns,
            key="map_table",
            on_row=lambda row: st.session_state.update(_picked=str(rows.index[row])),
            alt=_("The figures of the map as a list"),
            shares=share,
            scores=score,
            counts=("place",) if share or score else ("place", "value"),
            height="stretch",
        )


def _without(units: pd.DataFrame, places: Places) -> None:
    """Name the units that the map lacks."""
    lost = units[~units["code"].isin(places.found)]
    if lost.empty or not places.found:
        return
    named = ", ".join(plain(str(name)) for name in lost["name"].head(NAMED))
    more = _("and {count} more", count=len(lost) - NAMED) if len(lost) > NAMED else ""
    words = _("Not on the map:")
    st.caption(f":orange[:material/location_off:] {words} {named} {more}")
