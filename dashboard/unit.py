"""The parts of the page of one unit."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts, navigation, numbers, overview
from dashboard.cards import card, careful, good
from dashboard.draw import Draw
from dashboard.figures import figure, series, wide
from dashboard.ranking import movement
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.tables import TERMS, clickable, dossier_columns, readable_dossiers, term
from dashboard.texts import _, later, plain
from dashboard.theme import Meaning
from dashboard.tiles import Tile, explanation, head, tile_row
from metrics import Period, dossier_history
from warehouse.errors import BadQuestion

UNIT_KEY = "unit"
FIELD, PROCEDURE, DOSSIER = "field", "procedure", "dossier"
LEVEL_METRICS = ("received", "open", "overdue", "on_time_06")
LISTED = 500
UNKNOWN = "~"
"""Stands for an unknown field or procedure in the URL."""


def choose_unit(draw: Draw, period: Period) -> str:
    """Draw the unit chooser and return the chosen code; a code that is not in the scope is said and replaced."""
    units = draw.units()
    leaves = units[~units["code"].isin(units["parent"])]
    options = [str(code) for code in (leaves if len(leaves) else units)["code"]]
    names = dict(zip(units["code"].astype(str), units["name"], strict=True))
    asked = st.query_params.get(UNIT_KEY)
    if asked and asked not in options:
        careful(_("There is no unit {code} in the area that you see.", code=plain(asked)))
    with st.container(horizontal=True, vertical_alignment="center"):
        st.selectbox(
            _("Unit"),
            options,
            format_func=lambda code: names.get(code, code),
            label_visibility="collapsed",
            icon=":material/apartment:",
            width=360,
            **in_url(UNIT_KEY, options[0], options),
        )
        unit = selected(UNIT_KEY, options[0], options)
        _place(draw, period, unit)
    return unit


def _place(draw: Draw, period: Period, unit: str) -> None:
    """Say the unit's place in the ranking, its movement and its score; a click shows why."""
    ranking = draw.ranking(period)
    own = ranking[(ranking["unit"] == unit) & ranking["rank"].notna()]
    if own.empty:
        st.badge(_("not ranked in this period"), color="gray", icon=":material/leaderboard:")
        return
    row = own.iloc[0]
    last = int(ranking["rank"].max())
    words = _("place {place} of {last}", place=int(row["rank"]), last=last)
    score = _("{score} points", score=numbers.number(float(row["score"]), draw.language, 1))
    st.badge(f"{words} · {score} · {movement(row)}", color="blue", icon=":material/leaderboard:")
    navigation.link(navigation.RANKING, _("Why?"))


def unit_tiles(draw: Draw, period: Period, unit: str) -> None:
    """Draw the unit's headline figures against the whole area."""
    names = ("overdue", "open", "received", "on_time_06", "online_share_eligible", "satisfied_share")
    own = draw.ask(names, period, filters={"unit": (unit,)})
    area = draw.ask(names, period)
    meanings = {"overdue": Meaning.OVERDUE, "on_time_06": Meaning.ON_TIME}
    tiles = []
    for name in names:
        mine, all_ = figure(own, name), figure(area, name)
        compare = all_ if mine.is_ratio else None
        note = (
            ""
            if mine.is_ratio or not all_.value
            else _("{share} of the area", share=_share(draw, mine.value, all_.value))
        )
        tiles.append(Tile(mine, meanings.get(name, Meaning.NEUTRAL), compare, _("against the area"), (), note))
    tile_row(draw, tiles)


def _share(draw: Draw, part: float | None, whole: float) -> str:
    return numbers.percent(None if part is None else part / whole, draw.language)


def unit_trend(draw: Draw, period: Period, unit: str) -> None:
    """Draw the unit's backlog along time."""
    days = overview.last_days(draw) if period.end >= draw.as_of else period
    dimension = "month" if days.end - days.start > overview.LONG_PERIOD else "day"
    frame = draw.ask(("open", "overdue"), days, by=(dimension,), filters={"unit": (unit,)})
    with card(
        "unit-trend",
        _("Open and overdue dossiers"),
        _("end of each month") if dimension == "month" else _("end of each day"),
    ):
        data = [series(frame, name, dimension).astype(float) for name in ("open", "overdue")]
        chart = charts.backlog(data[0], data[1], (_("Open"), _("Overdue")), by_month=dimension == "month")
        charts.show(chart, key="unit-backlog", alt=_("Course of open and overdue dossiers"))


CHASED = 8


def chase_card(draw: Draw, unit: str) -> None:
    """List what the unit must finish first: overdue dossiers, then those due soon; a row shows the dossier's course."""
    late, total = draw.worklist("overdue", {"unit": (unit,)}, limit=CHASED)
    soon, _more = (
        draw.worklist("due_soon_24h", {"unit": (unit,)}, limit=CHASED - len(late)) if len(late) < CHASED else (late[:0], 0)
    )
    frame = pd.concat([part for part in (late, soon) if len(part)]) if len(late) or len(soon) else late
    note = _("{count} overdue", count=numbers.number(total, draw.language))
    with card("chase", _("To chase today"), f"{note} · {age_note(draw)}"):
        if frame.empty:
            good(_("Nothing is overdue or due soon"))
            return
        columns = {
            name: {**dossier_columns(draw)[name], "width": CHASE_WIDTHS.get(name, 230)} for name in CHASE_COLUMNS
        }
        codes = [f"{row.source}/{row.code}" for row in frame.itertuples()]
        clickable(
            draw,
            readable_dossiers(draw, frame)[list(CHASE_COLUMNS)],
            columns,
            key="chase_table",
            alt=_("To chase today"),
            counts=("days_late",),
            on_row=lambda row: _down(DOSSIER, codes[row]),
            height=38 + 34 * len(frame),
        )


CHASE_COLUMNS = ("code", "days_late", "due_at", "procedure")
CHASE_WIDTHS = {"code": 190, "days_late": 85, "due_at": 130}


def drill_down(draw: Draw, period: Period, unit: str) -> None:
    """Draw fields, then the procedures of one field, then the dossiers of one procedure, with the way back above."""
    field, procedure = st.query_params.get(FIELD), st.query_params.get(PROCEDURE)
    with card("drill", _trail_title(field, procedure), age_note(draw)):
        _trail(draw, unit, field, procedure)
        if procedure:
            _dossiers(draw, unit, procedure)
        elif field:
            _level(draw, period, unit, PROCEDURE, {"field": (_asked(field),)})
        else:
            _level(draw, period, unit, FIELD, {})


def _trail_title(field: str | None, procedure: str | None) -> str:
    return _("Open dossiers") if procedure else _("Procedures") if field else _("Fields")


def _trail(draw: Draw, unit: str, field: str | None, procedure: str | None) -> None:
    if not field:
        st.caption(_("Choose a row to go one level down"))
        return
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        navigation.link(navigation.UNIT, _("All fields"), unit=unit)
        st.markdown("›", width="content")
        name = _names(draw, FIELD, [field])[field]
        if not procedure:
            st.markdown(f"**{plain(name)}**", width="content")
            return
        navigation.link(navigation.UNIT, plain(name), unit=unit, field=field)
        st.markdown("›", width="content")
        st.markdown(f"**{plain(_names(draw, PROCEDURE, [procedure])[procedure])}**", width="stretch")


def _asked(code: str) -> str:
    """Return the filter value of a code of the URL."""
    return "" if code == UNKNOWN else code


def _names(draw: Draw, dimension: str, codes: list[str]) -> dict[str, str]:
    known = draw.names(dimension, [code for code in codes if code != UNKNOWN])
    return {code: known.get(code, _("not recorded")) for code in codes}


def _level(draw: Draw, period: Period, unit: str, dimension: str, filters: dict[str, tuple[str, ...]]) -> None:
    frame = draw.ask(LEVEL_METRICS, period, by=(dimension,), filters={**filters, "unit": (unit,)})
    frame[dimension] = frame[dimension].astype(object).where(frame[dimension].notna(), UNKNOWN)
    table = wide(frame, dimension, LEVEL_METRICS)
    table = table[(table[["received", "open"]].fillna(0) > 0).any(axis=1)]
    table = table.sort_values(["overdue", "open", "received"], ascending=False)
    if table.empty:
        st.caption(_("No dossier in this period"))
        return
    codes = [str(code) for code in table.index]
    names = _names(draw, dimension, codes)
    shown = table.reset_index(drop=True)
    shown.insert(0, dimension, [names.get(code, code) for code in codes])
    columns: dict[str, Any] = {dimension: st.column_config.TextColumn(_(LEVEL_TITLES[dimension]), width=250)}
    columns |= {
        name: st.column_config.NumberColumn(head(draw, name), width=88, help=explanation(draw, name))
        for name in LEVEL_METRICS
    }
    clickable(
        draw,
        shown,
        columns,
        key=f"level-{dimension}",
        alt=_(LEVEL_TITLES[dimension]),
        shares=("on_time_06",),
        counts=("received", "open", "overdue"),
        on_row=lambda row: _down(dimension, codes[row]),
        height=min(38 + 34 * len(shown), 520),
    )


LEVEL_TITLES = {FIELD: later("Field"), PROCEDURE: later("Procedure")}


def _down(dimension: str, code: str) -> None:
    st.query_params[dimension] = code


def _dossiers(draw: Draw, unit: str, procedure: str) -> None:
    frame, total = draw.worklist("open", {"unit": (unit,), "procedure": (_asked(procedure),)}, limit=LISTED)
    if frame.empty:
        st.caption(_("No open dossier of this procedure"))
        return
    table = readable_dossiers(draw, frame, leave_out=("unit", "procedure", "finished_at"))
    codes = [f"{row.source}/{row.code}" for row in frame.itertuples()]
    clickable(
        draw,
        table,
        dossier_columns(draw),
        key="level-dossier",
        alt=_("Open dossiers"),
        counts=("days_late",),
        on_row=lambda row: _down(DOSSIER, codes[row]),
        height=min(38 + 34 * len(table), 520),
    )
    if total > len(frame):
        st.caption(_("The first {shown} of {total} dossiers", shown=len(frame), total=total))


def dossier_card(draw: Draw) -> None:
    """Draw the course of the chosen dossier: its instants in order, and every change that was seen."""
    asked = st.query_params.get(DOSSIER)
    if not asked or "/" not in asked:
        return
    source, code = asked.split("/", 1)
    with card("dossier", _("Course of the dossier"), code):
        try:
            found, changes = dossier_history(draw.connection, source, code, draw.scope)
        except BadQuestion:
            st.caption(_("There is no such dossier in the area that you see"))
            return
        st.markdown(f"**{plain(draw.names('procedure', [found['procedure']]).get(found['procedure'], '') or '')}**")
        st.table(_course(draw, found), border="horizontal")
        if len(changes):
            st.caption(_("Changes seen"))
            st.table(_changes(draw, changes), border="horizontal", hide_index=True)


INSTANTS = {
    "submitted_at": later("Handed in"),
    "received_at": later("Received"),
    "first_due_at": later("First due date"),
    "due_at": later("Due"),
    "finished_at": later("Finished"),
    "returned_at": later("Result handed over"),
}


def _course(draw: Draw, found: Any) -> dict[str, str]:  # noqa: ANN401 - a row mapping
    zone = draw.settings.zone
    course = {_(title): numbers.moment(found[name], zone) for name, title in INSTANTS.items()}
    for name, words in (("status", _("Status")), ("channel", _("Channel"))):
        course[words] = term(draw, TERMS[name], found[name])
    course[_("Supplements asked")] = numbers.number(found["supplements"], draw.language)
    return course


def _changes(draw: Draw, changes: pd.DataFrame) -> pd.DataFrame:
    titles = {"status": _("Status"), "unit": _("Unit"), **{name: _(title) for name, title in INSTANTS.items()}}
    return pd.DataFrame(
        {
            _("Seen"): [numbers.moment(value, draw.settings.zone) for value in changes["seen_at"]],
            _("What"): [titles.get(name, name) for name in changes["field"]],
            _("Before"): [_told(draw, *pair) for pair in zip(changes["field"], changes["old"], strict=True)],
            _("After"): [_told(draw, *pair) for pair in zip(changes["field"], changes["new"], strict=True)],
        }
    )


def _told(draw: Draw, field: str, value: str | None) -> str:
    if value is None:
        return numbers.NONE
    if field == "status":
        return term(draw, TERMS["status"], value)
    if field.endswith("_at"):
        return numbers.moment(pd.Timestamp(value).to_pydatetime(), draw.settings.zone)
    return draw.names(field, [value]).get(value, value)
