"""The parts of the page of one unit: which unit, its place, its figures against the area and the targets."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import charts, navigation, numbers, overview
from dashboard.cards import card, careful, good
from dashboard.draw import Draw
from dashboard.figures import Figure, figure, series
from dashboard.filters import View
from dashboard.ranking import movement
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.tables import clickable, dossier_columns, readable_dossiers
from dashboard.texts import _, plain
from dashboard.theme import Meaning
from dashboard.tiles import Tile, goals, state_of, tile_row
from dashboard.unit_drill import UNIT_KEY, open_dossier

HEADLINES = ("overdue", "open", "received", "on_time_06", "online_share_eligible", "satisfied_share")
MEANINGS = {"overdue": Meaning.OVERDUE}
CHASED = 8
CHASE_COLUMNS = ("code", "days_late", "due_at", "procedure")
CHASE_WIDTHS = {"code": 192, "days_late": 85, "due_at": 130}


def choose_unit(draw: Draw, view: View) -> str:
    """Draw the unit chooser and the unit's place; a code that is not in the scope is said and replaced."""
    units = draw.units()
    leaves = units[~units["code"].isin(units["parent"])]
    shown = (leaves if len(leaves) else units).sort_values(["name", "code"])
    options = [str(code) for code in shown["code"]]
    names = dict(zip(units["code"].astype(str), units["name"], strict=True))
    own = draw.settings.display.own_unit
    first = own if own in options else options[0]
    asked = st.query_params.get(UNIT_KEY)
    if asked and asked not in options:
        careful(_("There is no unit {code} in the area that you see.", code=plain(asked)))
    with st.container(key="unit-choice", horizontal=True, vertical_alignment="center"):
        st.selectbox(
            _("Unit"),
            options,
            format_func=lambda code: names.get(code, code),
            label_visibility="collapsed",
            icon=":material/apartment:",
            width=320,
            **in_url(UNIT_KEY, first, options),
        )
        unit = selected(UNIT_KEY, first, options)
        _place(draw, view, unit)
    return unit


def _place(draw: Draw, view: View, unit: str) -> None:
    """Say the unit's place in the ranking, its movement and its score; a click shows why."""
    ranking = draw.ranking(view.period)
    own = ranking[(ranking["unit"] == unit) & ranking["rank"].notna()]
    if own.empty:
        st.badge(_("not ranked in this period"), color="gray", icon=":material/leaderboard:")
    else:
        row = own.iloc[0]
        last = int(ranking.loc[ranking["unit_kind"] == row["unit_kind"], "rank"].max())
        words = _("place {place} of {last}", place=int(row["rank"]), last=last)
        score = _("{score} points", score=numbers.number(float(row["score"]), draw.language, 1))
        st.badge(f"{words} · {score} · {movement(row)}", color="blue", icon=":material/leaderboard:")
    navigation.link(navigation.RANKING, _("Why this place?"), unit=unit)
    navigation.link(navigation.WORKLIST, _("All that is to act on here"), units=unit)


def unit_tiles(draw: Draw, view: View, unit: str) -> None:
    """Draw the unit's headline figures against the whole area and against the targets that hold for it."""
    mine = {**view.filters, "unit": (unit,)}
    own = draw.ask(HEADLINES, view.period, filters=mine)
    area = draw.ask(HEADLINES, view.period, filters=view.filters)
    course = draw.ask(HEADLINES, overview.course_period(draw, view.period), by=("day",), filters=mine)
    aims, changed = goals(draw, HEADLINES, unit), draw.corrections(own, view.period, mine)
    tiles = []
    for name in HEADLINES:
        shown, whole = figure(own, name), figure(area, name)
        values = list(series(course, name, "day").astype("Float64").astype(float).dropna())
        tiles.append(
            Tile(
                shown,
                state_of(shown, aims.get(name), MEANINGS.get(name, Meaning.NEUTRAL)),
                whole if shown.is_ratio else None,
                _("against the area: {value}", value=whole.text(draw.language)),
                values,
                _share(draw, shown, whole),
                aims.get(name),
                changed.get((None, name)),
            )
        )
    tile_row(draw, tiles)


def _share(draw: Draw, mine: Figure, area: Figure) -> str:
    """Say which part of the area a count is."""
    if mine.is_ratio or not area.value or mine.value is None:
        return ""
    share = numbers.percent(mine.value / area.value, draw.language)
    return _("{share} of the area: {value}", share=share, value=area.text(draw.language))


def unit_trend(draw: Draw, view: View, unit: str) -> None:
    """Draw the unit's backlog along time."""
    period = view.period
    days = overview.last_days(draw) if period.end >= draw.as_of else period
    dimension = "month" if days.end - days.start > overview.LONG_PERIOD else "day"
    filters = {**view.filters, "unit": (unit,)}
    frame = draw.ask(("open", "overdue"), days, by=(dimension,), filters=filters)
    with card(
        "unit-trend",
        _("Open and overdue dossiers"),
        _("end of each month") if dimension == "month" else _("end of each day"),
    ):
        data = [series(frame, name, dimension).astype(float) for name in ("open", "overdue")]
        chart = charts.backlog(data[0], data[1], (_("Open"), _("Overdue")), by_month=dimension == "month")
        charts.show(chart, key="unit-backlog", alt=_("Course of open and overdue dossiers"))


def chase_card(draw: Draw, view: View, unit: str) -> None:
    """List what the unit must finish first: overdue dossiers, then those due soon; a row shows the dossier's course."""
    filters = {**view.filters, "unit": (unit,)}
    late, total = draw.worklist("overdue", filters, limit=CHASED)
    soon, _more = (
        draw.worklist("due_soon_24h", filters, limit=CHASED - len(late)) if len(late) < CHASED else (late[:0], 0)
    )
    frame = pd.concat([part for part in (late, soon) if len(part)]) if len(late) or len(soon) else late
    note = _("{count} overdue", count=numbers.number(total, draw.language))
    with card("chase", _("To chase today"), f"{note} · {age_note(draw)}"):
        if frame.empty:
            good(_("Nothing is overdue or due soon"))
            return
        columns = {
            name: {**dossier_columns(draw)[name], "width": CHASE_WIDTHS.get(name, 230), "pinned": False}
            for name in CHASE_COLUMNS
        }
        codes = [f"{row.source}/{row.code}" for row in frame.itertuples()]
        clickable(
            draw,
            readable_dossiers(draw, frame)[list(CHASE_COLUMNS)],
            columns,
            key="chase_table",
            alt=_("To chase today"),
            counts=("days_late",),
            on_row=lambda row: open_dossier(codes[row]),
        )
