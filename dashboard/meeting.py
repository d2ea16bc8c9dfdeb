"""The weekly meeting: slides over figures that stand still from the first to the last.

The presenter picks period and units once and starts; the slides are built at that moment from one data version and kept
on the server. Who loads the page again, or moves back and forth, sees the same figures, until the newest are asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import streamlit as st

from dashboard import numbers
from dashboard.board_cards import board_view
from dashboard.boards.build import build, finding
from dashboard.boards.content import BuiltSlide
from dashboard.boards.context import Context
from dashboard.boards.meeting import MEETING
from dashboard.boards.screen import SLIDE as STAGE
from dashboard.boards.screen import draw_slide, is_dark, style
from dashboard.draw import Draw
from dashboard.filters import View, page_head, view_of_url
from dashboard.shell import age_note
from dashboard.stage import factor, slide_stage
from dashboard.texts import _
from dashboard.words import plain

SLIDE_KEY, AT_KEY = "slide", "at"
WIDTH, HEIGHT = 1280, 720
KEPT = 40
"""So many meetings are kept on the server, the longest unused first to go."""


@dataclass(frozen=True, slots=True)
class Deck:
    """The slides of one meeting, built from one data version as of one instant."""

    at: str
    version: int
    as_of: datetime
    words: str
    slides: tuple[BuiltSlide, ...]


class Shelf:
    """The decks that are being presented; used by all sessions."""

    def __init__(self, room: int = KEPT) -> None:
        self._decks: OrderedDict[Hashable, Deck] = OrderedDict()
        self._room, self._lock = room, Lock()

    def find(self, key: Hashable) -> Deck | None:
        """Return a deck and count it as used."""
        with self._lock:
            if key in self._decks:
                self._decks.move_to_end(key)
            return self._decks.get(key)

    def put(self, key: Hashable, deck: Deck) -> None:
        """Keep a deck; the longest unused one goes when there is no room."""
        with self._lock:
            self._decks[key] = deck
            while len(self._decks) > self._room:
                self._decks.popitem(last=False)


@st.cache_resource(show_spinner=False)
def shelf() -> Shelf:
    """Return the shelf of this process."""
    return Shelf()


def is_presenting() -> bool:
    """Whether the URL names a slide."""
    return SLIDE_KEY in st.query_params


def _at(draw: Draw) -> str:
    return f"{draw.version}-{int(draw.as_of.timestamp())}"


def _key(draw: Draw, view: View, at: str) -> Hashable:
    filters = tuple(sorted(view.filters.items()))
    return (draw.scope, draw.language, view.period, view.compared, filters, at)


def newest(draw: Draw, view: View) -> Deck:
    """Build the slides from this draw and keep them."""
    at = _at(draw)
    kept = shelf().find(_key(draw, view, at))
    if kept is not None:
        return kept
    slides = tuple(
        build(slide, Context(draw, board_view(view), STAGE.rows(slide), STAGE.bars(slide))) for slide in MEETING.slides
    )
    deck = Deck(at, draw.version, draw.as_of, view.words, slides)
    shelf().put(_key(draw, view, at), deck)
    return deck


def agenda(draw: Draw) -> None:
    """Draw the choice of period and units, the topics with their findings, and the button that begins."""
    style()
    view = page_head(draw, _("Weekly meeting"), dimensions=("unit",))
    if draw.version == 0 or draw.units().empty:
        return
    context = Context(draw, board_view(view))
    with st.container(horizontal=True, vertical_alignment="center", gap="medium"):
        st.button(_("Begin"), icon=":material/play_arrow:", type="primary", key="begin", on_click=_show, args=(1,))
        st.caption(age_note(draw), width="content")
        st.caption(_("Figures stand still from here on. Keys: → ← PageUp PageDown Home End move, Esc ends."))
    with st.grid(3, min_column_width=300, gap="small"):
        for number, slide in enumerate(MEETING.slides, 1):
            with st.container(key=f"card-agenda-{slide.name}", height="stretch", gap="xsmall"):
                st.markdown(f"#### {number}. {_(slide.title)}")
                st.caption(plain(finding(slide, context)))
                with st.container(vertical_alignment="bottom", height="stretch"):
                    st.button(
                        _("Show"), key=f"open-slide-{slide.name}", type="tertiary", icon=":material/slideshow:",
                        on_click=_show, args=(number,),
                    )  # fmt: skip


def _show(number: int) -> None:
    st.query_params[SLIDE_KEY] = str(number)


def present(draw: Draw) -> None:
    """Draw the slide that the URL names from the deck that it names."""
    style()
    view = view_of_url(draw, dimensions=("unit",))
    asked = st.query_params.get(AT_KEY, "")
    deck = shelf().find(_key(draw, view, asked)) if asked else None
    is_new = deck is None
    if deck is None:
        deck = newest(draw, view)
        st.query_params[AT_KEY] = deck.at
    number = _number(st.query_params.get(SLIDE_KEY, ""), len(deck.slides))
    built = deck.slides[number - 1]
    with st.container(key="slide", gap="small"):
        slide_stage(WIDTH, HEIGHT, lambda move: _move(move, number, len(MEETING.slides)))
        _title(built, number, len(deck.slides))
        draw_slide(MEETING.slides[number - 1], built, STAGE, dark=is_dark(), scale=factor())
        _foot(draw, deck, number, retaken=is_new and bool(asked))


def _number(text: str, count: int) -> int:
    """The number of a slide from the URL; the first where there is no such slide."""
    return int(text) if text.isdecimal() and 1 <= int(text) <= count else 1


def _move(move: str, number: int, count: int) -> None:
    if move == "leave":
        _leave()
        return
    wanted = {"next": number + 1, "previous": number - 1, "first": 1, "last": count}.get(move, number)
    st.query_params[SLIDE_KEY] = str(min(max(wanted, 1), count))


def _leave() -> None:
    for name in (SLIDE_KEY, AT_KEY):
        st.query_params.pop(name, None)


def _title(built: BuiltSlide, number: int, count: int) -> None:
    with st.container(key="slide-head", horizontal=True, vertical_alignment="center"):
        st.title(built.title, anchor=False)
        st.caption(_("slide {number} of {count}", number=number, count=count), width="content")


def _foot(draw: Draw, deck: Deck, number: int, *, retaken: bool) -> None:
    """Draw whose figures of when these are, and the controls."""
    time = numbers.moment(deck.as_of, draw.settings.zone)
    words = _("{what} · figures of {time} · data version {version}", what=deck.words, time=time,
              version=numbers.number(deck.version, draw.language))  # fmt: skip
    if retaken:
        words = _("{words} · taken anew: the earlier figures are no longer kept", words=words)
    with st.container(key="slide-foot", horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(plain(words))
        count = len(deck.slides)
        for move, icon, tip, idle in (
            ("previous", ":material/chevron_left:", _("Previous slide"), number == 1),
            ("next", ":material/chevron_right:", _("Next slide"), number == count),
        ):
            st.button(icon, key=f"slide-{move}", help=tip, disabled=idle, on_click=_move, args=(move, number, count))
        if draw.version != deck.version:
            st.button(
                _("Take the newest figures"), key="slide-newest", icon=":material/refresh:", on_click=_take_newest
            )
        st.button(_("End"), key="slide-end", icon=":material/close:", on_click=_leave)


def _take_newest() -> None:
    st.query_params.pop(AT_KEY, None)
