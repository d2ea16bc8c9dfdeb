"""The pages of the product and the way from one to another; the URL carries every selection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

from dashboard import resources
from dashboard.texts import LANGUAGE_KEY, _, later

PAGES = Path(__file__).resolve().parent.parent / "pages"


@dataclass(frozen=True, slots=True)
class Screen:
    """One page: its file, its place in the URL, its sign and its name in English."""

    file: str
    path: str
    icon: str
    title: str
    help: str

    def page(self) -> st.Page:
        """Return the page for `st.navigation`, named in the session's language."""
        return st.Page(
            PAGES / self.file,
            title=_(self.title),
            icon=self.icon,
            url_path=self.path,
            default=self is OVERVIEW,
            help=_(self.help),
        )


OVERVIEW = Screen(
    "overview.py",
    "tong-quan",
    ":material/dashboard:",
    later("Overview"),
    later("What is wrong where, in one look"),
)
MAP = Screen(
    "map.py",
    "ban-do",
    ":material/map:",
    later("Map"),
    later("Any figure of every unit in its place, month by month"),
)
RANKING = Screen(
    "ranking.py",
    "xep-hang",
    ":material/leaderboard:",
    later("Ranking"),
    later("Every unit's place, and why"),
)
UNIT = Screen(
    "unit.py",
    "don-vi",
    ":material/apartment:",
    later("Unit"),
    later("One unit: fields, procedures, dossiers"),
)
WORKLIST = Screen(
    "worklist.py",
    "can-xu-ly",
    ":material/checklist:",
    later("To act on"),
    later(
        "Dossiers overdue, due soon or waiting",
    ),
)

CHANNELS = Screen(
    "channels.py",
    "kenh-tiep-nhan",
    ":material/alt_route:",
    later("Intake channels"),
    later("How dossiers come in and go out, and what could be online"),
)
SATISFACTION = Screen(
    "satisfaction.py",
    "hai-long",
    ":material/sentiment_satisfied:",
    later("Satisfaction"),
    later("What people answered, how many did, how sure it is"),
)
MEETING = Screen(
    "meeting.py",
    "giao-ban",
    ":material/co_present:",
    later("Weekly meeting"),
    later("Slides for the meeting, with figures that stand still"),
)
WALL = Screen(
    "wall.py",
    "trinh-chieu",
    ":material/tv:",
    later("Wall"),
    later("Scenes that change by themselves, for the screen of the room"),
)
DATA = Screen(
    "data.py",
    "du-lieu",
    ":material/fact_check:",
    later("Reconciliation and data"),
    later("Sources, quarantine, data quality, balance, reconciliation"),
)

SCREENS = (OVERVIEW, MAP, RANKING, UNIT, WORKLIST, CHANNELS, SATISFACTION, MEETING, WALL, DATA)
CARRIED = ("period", "compare", "units", "fields", "channels", LANGUAGE_KEY)
"""Selections that go along from page to page."""
_KEPT = "_kept"
GALLERY_PATH = "thu-vien-mau"
"""The components in each state, for developers; in no menu."""


SECTIONS = {
    later("Room"): ("giao-ban", "trinh-chieu"),
    later("Data and administration"): ("du-lieu", "bao-cao", "quan-tri"),
}
"""Screens that stand together behind one word of the navigation, by their paths; all others stand in it themselves."""


def menu() -> dict[str, list[st.Page]]:
    """Return the pages for `st.navigation`; a section of one screen is no section."""
    present = {screen.path: screen for screen in SCREENS}
    found = {title: [present[path] for path in paths if path in present] for title, paths in SECTIONS.items()}
    sections = {title: screens for title, screens in found.items() if len(screens) > 1}
    inside = {screen.path for screens in sections.values() for screen in screens}
    pages = {"": [screen.page() for screen in SCREENS if screen.path not in inside]}
    if resources.settings().display.gallery:
        pages[""].append(st.Page(PAGES / "gallery.py", url_path=GALLERY_PATH, visibility="hidden"))
    return {**pages, **{_(title): [screen.page() for screen in screens] for title, screens in sections.items()}}


def parameters(extra: Mapping[str, str]) -> dict[str, str]:
    """Return the URL parameters of a link: what is carried along, and `extra`."""
    kept = {name: st.query_params[name] for name in CARRIED if name in st.query_params}
    return {**kept, **extra}


def carry(page: object) -> None:
    """Put back what goes along from page to page when a link of the navigation, which has no parameters, was followed.

    Only then: a reader who goes back to a page without selections wants it without.
    """
    here = {name: st.query_params[name] for name in CARRIED if name in st.query_params}
    came_from, kept = st.session_state.get(_KEPT, (page, {}))
    if came_from != page and not here:
        here = kept
        st.query_params.update(here)
    st.session_state[_KEPT] = (page, here)


def link(screen: Screen, label: str, *, icon: bool = True, **extra: str) -> None:
    """Draw a link to a screen with its selections in the URL, with the sign of the screen or without."""
    sign = None if icon else ""
    st.page_link(screen.page(), label=label, icon=sign, query_params=parameters(extra))


def go(screen: Screen, **extra: str) -> None:
    """Go to a screen with its selections in the URL."""
    st.switch_page(screen.page(), query_params=parameters(extra))
