"""Every component in each of its states, for developers: at /thu-vien-mau where the setting display.gallery is true.

The figures are made up; nothing of them comes from the warehouse, so that every state can be seen at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pandas as pd
import streamlit as st

from connectors.state import Freshness, SourceState
from dashboard import charts, theme
from dashboard.cards import card, careful, good
from dashboard.course import Course, backlog_chart, flow_chart
from dashboard.draw import Draw
from dashboard.figures import Figure
from dashboard.shell import freshness_badge, nothing_here, trouble
from dashboard.tables import clickable
from dashboard.texts import _, later
from dashboard.theme import Meaning
from dashboard.tiles import Goal, Tile, state_of, tile_row
from metrics import Period
from metrics.corrections import Correction
from warehouse.vocabulary import Channel, Entity

SAMPLE = "Hồ sơ quá hạn: Thị trấn Tân Túc, Xã Vĩnh Lộc A, Phường Bình Trị Đông – 28.856; 57,73 %"
"""Every mark that Vietnamese puts on a letter is on a sign somewhere in these names."""


def gallery(draw: Draw) -> None:
    """Draw the specimens."""
    for title, parts in PARTS.items():
        st.subheader(_(title), anchor=False)
        parts(draw)


def _type(draw: Draw) -> None:
    del draw
    rows = [
        f'<p style="font:var(--ioc-type-{name});margin:0 0 .6rem">{SAMPLE} '
        f'<span style="color:var(--ioc-quiet)">{name} {step.size}/{step.weight}</span></p>'
        for name, step in theme.TYPE.items()
    ]
    with card("gallery-type", _("Type")):
        st.html("".join(rows))


def _swatch(colour: str, words: str, ink: str) -> str:
    style = f"background:{colour};color:{ink};padding:.5rem .7rem;border-radius:8px;min-width:8.5rem"
    return f'<span style="{style}">{words}<br>{colour}</span>'


def _colours(draw: Draw) -> None:
    del draw
    marks = [_swatch(theme.COLOURS[meaning], meaning, "#FFFFFF") for meaning in Meaning]
    marks += [
        _swatch(colour, Channel(code).name.lower(), theme.ON_MARK) for code, colour in theme.CHANNEL_COLOURS.items()
    ]
    scales = []
    for name, scale in (("burden", theme.BURDEN), ("achievement", theme.ACHIEVEMENT)):
        steps = scale.steps(dark=charts.is_dark())
        cells = "".join(f'<span style="background:{colour};width:4rem;height:2rem"></span>' for colour in steps)
        scales.append(f'<div style="display:flex;align-items:center;gap:.2rem;margin-top:.6rem">{cells} {name}</div>')
    inks = "".join(
        f'<b style="color:var(--ioc-ink-{meaning.replace("_", "-")});margin-right:1rem">{meaning}</b>'
        for meaning in Meaning
    )
    with card("gallery-colours", _("Colours")):
        st.html(
            f'<div style="display:flex;flex-wrap:wrap;gap:.5rem">{"".join(marks)}</div><p>{inks}</p>{"".join(scales)}'
        )


def _tiles(draw: Draw) -> None:
    course = [4.0, 6, 5, 9, 12, 11, 14]
    share = Figure("on_time_06", 0.9742, 28_112, 28_856)
    low = Figure("on_time_06", 0.5773, 3_905, 6_764)
    few = Figure("satisfied_share", 0.8, 4, 5)
    now = datetime(2026, 11, 26, tzinfo=UTC)
    aim, late = Goal(0.95, date(2026, 12, 31), "QĐ 766/QĐ-TTg"), Goal(0.9)
    was = Correction(0.9801, 0.9742, 28_282, 28_856, 28_112, 28_856, now)
    before, words = Figure("on_time_06", 0.9611, None, None), _("against the period before")
    tile_row(
        draw,
        [
            Tile(
                Figure("overdue", 198, None, None), Meaning.OVERDUE, Figure("overdue", 210, None, None), words, course
            ),
            Tile(
                Figure("due_soon_24h", 34, None, None), Meaning.DUE_SOON, Figure("due_soon_24h", 34, None, None), words
            ),
            Tile(share, state_of(share, aim), before, words, course, goal=aim),
            Tile(low, state_of(low, late), before, words, course, goal=late),
        ],
    )
    nothing = Figure("satisfied_share", None, 0, 0)
    tile_row(
        draw,
        [
            Tile(few, state_of(few, None), None, "", course),
            Tile(nothing, state_of(nothing, None)),
            Tile(Figure("online_share_eligible", 0.5773, 3_905, 6_764), Meaning.NEUTRAL, correction=was),
            Tile(Figure("open", 28_856, None, None), note=_("unchanged {compared}", compared=words)),
        ],
    )


def _states(draw: Draw) -> None:
    del draw
    left, right = st.columns(2, gap="small")
    with left:
        nothing_here(_("No data yet"), _("The first load has not finished, or no source is configured. This page fills by itself when data arrives."))  # fmt: skip # noqa: E501
        with card("gallery-loading", _("Loading")):
            st.skeleton(height=90)
    with right:
        trouble(
            _("The data warehouse does not answer"),
            _("The figures cannot be drawn now. The page tries again by itself; if it lasts, call the operator."),
        )
        with card("gallery-words", _("Words of state")):
            good(_("No unit has overdue dossiers"))
            careful(_("Few answers: read with care"))
            for freshness, minutes in zip(Freshness, (0, 3, 400, None), strict=True):
                age = None if minutes is None else timedelta(minutes=minutes)
                freshness_badge(SourceState("", Entity.DOSSIER, None, age, timedelta(minutes=1), freshness, None))


def _charts(draw: Draw) -> None:
    zone = draw.settings.zone
    days = pd.date_range("2026-08-24", "2026-09-13")
    wave = pd.Series([60 + 9 * (place % 7) for place in range(len(days))], index=days.strftime("%Y-%m-%d"), dtype=float)
    shown = Period(datetime(2026, 8, 24, tzinfo=zone), datetime(2026, 9, 14, tzinfo=zone), "2026-08-24/2026-09-13")
    data = {"open": wave * 4, "overdue": wave, "received": wave * 2, "resolved": wave * 2.1}
    course = Course(data, shown, by_month=False)
    counts = pd.Series({int(Channel.ONLINE): 3_905.0, int(Channel.IN_PERSON): 6_529.0, int(Channel.POST): 435.0})
    left, middle, right = st.columns(3, gap="small")
    with left, card("gallery-backlog", _("Open and overdue dossiers")):
        charts.show(backlog_chart(draw, course), key="gallery_backlog", alt=_("Course of open and overdue dossiers"))
    with middle, card("gallery-flow", _("Received and resolved")):
        charts.show(flow_chart(draw, course), key="gallery_flow", alt=_("Course of received and resolved dossiers"))
    with right, card("gallery-strip", _("How dossiers come in")):
        charts.show(charts.channel_strip(draw, counts), key="gallery_strip", alt=_("Mix of intake channels"))
        bars = charts.unit_bars(["Thị trấn Tân Túc", "Xã Vĩnh Lộc A", "Xã Đa Phước"], [28_856, 9_112, 431])
        charts.show(bars, key="gallery_bars", alt=_("The unit list has no coordinates: shown as bars"))


def _tables(draw: Draw) -> None:
    table = pd.DataFrame(
        {"unit": ["Thị trấn Tân Túc", "Xã Vĩnh Lộc A"], "open": [28_856, 198], "share": [0.5773, None]}
    )
    columns = {
        "unit": st.column_config.TextColumn(_("Unit")),
        "open": st.column_config.NumberColumn(_("Open")),
        "share": st.column_config.NumberColumn(_("Online")),
    }
    with card("gallery-table", _("Table"), _("a row opens one level down")):
        clickable(
            draw, table, columns, key="gallery_table", on_row=lambda row: None, alt=_("Table"), shares=("share",),
            counts=("open",),
        )  # fmt: skip


PARTS: dict[str, Callable[[Draw], None]] = {
    later("Type"): _type,
    later("Colours"): _colours,
    later("Tiles"): _tiles,
    later("States"): _states,
    later("Charts"): _charts,
    later("Tables"): _tables,
}
