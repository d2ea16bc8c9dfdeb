"""The wall: one scene after the other for the screen of the room, unattended.

The clock says which scene it is, so that all walls change together and a restart changes nothing. When the warehouse
does not answer, the last good figures stay, their age grows on the screen, and the scenes go on when it answers again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import streamlit as st

from connectors.state import SourceState
from dashboard import resources
from dashboard.board_cards import board_view
from dashboard.boards.build import build
from dashboard.boards.context import Context
from dashboard.boards.declaration import Slide
from dashboard.boards.screen import WALL as STAGE
from dashboard.boards.screen import draw_slide, is_dark, style
from dashboard.boards.wall import WALL
from dashboard.draw import Draw
from dashboard.filters import View, view_of_url
from dashboard.period_words import full_title
from dashboard.shell import oldest_source
from dashboard.stage import factor, wall_stage
from dashboard.texts import _
from warehouse.settings import Settings

WIDTH, HEIGHT = 1920, 1080
LONGEST_BEAT = 2.0
SILENT_BEATS, SILENT_SECONDS = 6, 20.0
KEPT = "_wall_oldest"


def scenes(settings: Settings) -> tuple[Slide, ...]:
    """Return the scenes that the settings name, in their order."""
    return tuple(WALL.slide(name) for name in settings.wall.scenes)


def place_at(now: datetime, dwell: float, count: int) -> int:
    """Return which of `count` scenes is on at an instant."""
    return int(now.timestamp() // dwell) % count


def beat_seconds(settings: Settings) -> float:
    """Return how often the wall looks for a new scene or new data."""
    return min(LONGEST_BEAT, settings.display.refresh_seconds, settings.wall.dwell_seconds / 2)


def draw_wall(draw: Draw) -> None:
    """Draw the scene of this moment below the head of the wall."""
    style()
    shown = scenes(draw.settings)
    view = view_of_url(draw, dimensions=("unit",))
    place = place_at(datetime.now(UTC), draw.settings.wall.dwell_seconds, len(shown))
    with st.container(key="wall", gap="small"):
        _head(draw, view, shown, place)
        scene, scale = shown[place], factor()
        context = Context(draw, board_view(view), STAGE.rows(scene), STAGE.bars(scene))
        draw_slide(scene, build(scene, context), STAGE, dark=True, scale=scale)


def draw_empty_wall(draw: Draw) -> None:
    """Draw the head of the wall over a warehouse without data."""
    style()
    view = view_of_url(draw, dimensions=())
    with st.container(key="wall", gap="small"):
        _head(draw, view, scenes(draw.settings)[:1], 0)
        st.markdown(f"### :material/inbox: {_('No data yet')}")
        words = (
            "The first load has not finished, or no source is configured. This page fills by itself when data arrives."
        )
        st.markdown(_(words))


def _head(draw: Draw, view: View, shown: tuple[Slide, ...], place: int) -> None:
    """Draw clock and data age, and draw the whole page again when another scene or newer data is due."""
    seconds = beat_seconds(draw.settings)
    titles = [_(scene.title) for scene in shown]
    version, scale, language_words, subject = draw.version, factor(), _words(), _subject(draw, view)

    @st.fragment(run_every=timedelta(seconds=seconds))
    def beat() -> None:
        pulse = resources.pulse()
        now = datetime.now(UTC)
        wall_stage(_data(draw.settings, pulse, now, subject, titles, place, seconds) | {"words": language_words})
        due = place_at(now, draw.settings.wall.dwell_seconds, len(shown))
        if pulse.reachable and (due != place or pulse.version != version or factor() != scale):
            st.rerun()

    beat()


def _subject(draw: Draw, view: View) -> str:
    """Whose figures of which period the scenes show."""
    units = draw.names("unit", view.filters.get("unit", ()))
    whose = ", ".join(units.values()) or draw.settings.display.area or _("All units")
    return f"{whose} · {full_title(view.period, draw.settings.zone)}"


def _data(
    settings: Settings,
    pulse: resources.Pulse,
    now: datetime,
    subject: str,
    titles: list[str],
    place: int,
    seconds: float,
) -> dict[str, object]:
    oldest = oldest_source(pulse.states)
    if pulse.reachable:  # a warehouse that does not answer does not know its age: what was known goes on ageing
        st.session_state[KEPT] = oldest
    kept: SourceState | None = st.session_state.get(KEPT)
    offset = now.astimezone(settings.zone).utcoffset() or timedelta()
    ok_at = kept.last_ok_at if kept else None
    return {
        "width": WIDTH,
        "height": HEIGHT,
        "dark": is_dark(),
        "now": round(now.timestamp() * 1000),
        "utc_offset": offset.total_seconds(),
        "ok_at": None if ok_at is None else round(ok_at.timestamp() * 1000),
        "max_age": kept.max_age.total_seconds() if kept else 60.0,
        "reachable": pulse.reachable,
        "silent_after": max(SILENT_SECONDS, SILENT_BEATS * seconds),
        "subject": subject,
        "scenes": titles,
        "place": place,
    }


def _words() -> dict[str, object]:
    return {
        "age": _("updated {age} ago"),
        "never": _("no data yet"),
        "seconds": _("{n} s"),
        "minutes": _("{n} min"),
        "hours": _("{n} h"),
        "days": _("{n} days"),
        "lost": _("The server does not answer. These are the last figures; the page comes back by itself."),
        "unreachable": _("The data warehouse does not answer. These are the last figures; they stay until it does."),
        "weekdays": [
            _("Sunday"),
            _("Monday"),
            _("Tuesday"),
            _("Wednesday"),
            _("Thursday"),
            _("Friday"),
            _("Saturday"),
        ],
    }
