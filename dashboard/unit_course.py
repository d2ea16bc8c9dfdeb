"""The course of one dossier: its clock, the time line as a picture, and the same as tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from dashboard import charts, numbers, unit_ask
from dashboard.cards import card
from dashboard.data_parts import fact, facts
from dashboard.draw import Draw
from dashboard.shell import age_note
from dashboard.tables import TERMS, term
from dashboard.texts import _, plain
from dashboard.theme import ICONS, MARKDOWN, Meaning
from dashboard.unit_timeline import office_time, timeline
from metrics.course import EVENTS, Course, Event, Happening, Step
from warehouse.errors import BadQuestion
from warehouse.vocabulary import CLOSED, Status, label


def course_card(draw: Draw, asked: str) -> None:
    """Draw the course of the dossier `source/code`, or say that there is none in the area that the reader sees."""
    source, _slash, code = asked.partition("/")
    with card("dossier", _("Course of the dossier"), f"{plain(code)} · {age_note(draw)}"):
        try:
            course = unit_ask.course(draw, source, code)
        except BadQuestion:
            st.caption(_("There is no such dossier in the area that you see"))
            return
        _headline(draw, course)
        _clock(draw, course)
        figure = timeline(draw, course)
        if figure is not None:
            charts.show(figure, key="dossier-timeline", alt=_alt(draw, course))
        steps, events = st.columns([1.35, 1], gap="medium")
        with steps:
            _steps(draw, course)
        with events:
            _events(draw, course)


def procedure_name(draw: Draw, course: Course) -> str:
    """Return the name of the dossier's procedure; a dash where it is not recorded."""
    code = course.dossier["procedure"]
    return str(draw.names("procedure", [code])[code]) if code else numbers.NONE


def _headline(draw: Draw, course: Course) -> None:
    found = course.dossier
    unit = draw.names("unit", [found["unit"]])[found["unit"]]
    words = [unit, term(draw, TERMS["channel"], found["channel"]), term(draw, TERMS["status"], found["status"])]
    meaning, verdict = _verdict(draw, course)
    st.markdown(
        f"**{plain(procedure_name(draw, course))}**  \n{plain(' · '.join(words))}"
        f"  \n:{MARKDOWN[meaning]}-badge[{ICONS[meaning]} {verdict}]"
    )


def _verdict(draw: Draw, course: Course) -> tuple[Meaning, str]:
    """Say in one line how the dossier stands to its due date, in office time."""
    found, left = course.dossier, course.time.left
    ended = found["finished_at"] is not None and found["finished_at"] <= draw.as_of
    if found["received_at"] is None:
        return Meaning.UNKNOWN, _("not received")
    if left is None:
        return Meaning.UNKNOWN, _("no due date")
    amount = office_time(draw, abs(left))
    end = min(found["finished_at"], draw.as_of) if ended else draw.as_of
    if end > found["due_at"]:
        words = _("finished {time} late, of office time") if ended else _("overdue by {time} of office time")
        return Meaning.OVERDUE, words.format(time=amount)
    if ended and found["status"] in CLOSED - {Status.FINISHED, Status.RETURNED}:
        return Meaning.UNKNOWN, _("ended without result")
    if ended:
        return Meaning.ON_TIME, _("finished {time} before it was due, of office time", time=amount)
    soon = left <= 24 * 3600
    return (Meaning.DUE_SOON if soon else Meaning.ON_TIME), _("{time} of office time left", time=amount)


def _clock(draw: Draw, course: Course) -> None:
    found, time, zone = course.dossier, course.time, draw.settings.zone
    late = time.left is not None and time.left < 0
    moved = len(course.due_dates) - 1
    with facts(4):
        fact("passed", _("Office time so far"), office_time(draw, time.passed), _("since receipt, to the end or now"))
        fact(
            "paused",
            _("Of it paused"),
            office_time(draw, time.paused),
            _("supplements asked: {count}", count=numbers.number(found["supplements"], draw.language)),
        )
        fact(
            "left",
            _("Late by") if late else _("Left until due"),
            office_time(draw, None if time.left is None else abs(time.left)),
            _("due {time}", time=numbers.moment(found["due_at"], zone)),
            Meaning.OVERDUE if late else Meaning.NEUTRAL,
        )
        fact(
            "moved",
            _("Due date moved"),
            _("{count} times", count=numbers.number(max(moved, 0), draw.language)),
            _("first due {time}", time=numbers.moment(course.due_dates[0].due_at if course.due_dates else None, zone)),
        )


def _alt(draw: Draw, course: Course) -> str:
    zone, found = draw.settings.zone, course.dossier
    return _(
        "Time line of dossier {code}: received {received}, due {due}, finished {finished}; {steps} steps. The tables"
        " below say the same.",
        code=found["code"],
        received=numbers.moment(found["received_at"], zone),
        due=numbers.moment(found["due_at"], zone),
        finished=numbers.moment(found["finished_at"], zone),
        steps=len(course.steps),
    )


def _steps(draw: Draw, course: Course) -> None:
    _heading(_("Steps"))
    if not course.steps:
        st.caption(_("The source tells no steps of this dossier"))
        return
    zone = draw.settings.zone
    running = _("runs") if course.dossier["finished_at"] is None else numbers.NONE
    st.table(
        pd.DataFrame(
            {
                _("Department"): [step.department or _("unknown") for step in course.steps],
                _("Begun"): [numbers.moment(step.started_at, zone) for step in course.steps],
                _("Due"): [numbers.moment(step.due_at, zone) for step in course.steps],
                _("Ended"): [
                    running if step.finished_at is None else numbers.moment(step.finished_at, zone)
                    for step in course.steps
                ],
                _("Office time"): [office_time(draw, step.office_seconds) for step in course.steps],
                _("Verdict"): [_step_verdict(step) for step in course.steps],
            }
        ),
        border="horizontal",
        hide_index=True,
        alt=_("Steps"),
    )


def _step_verdict(step: Step) -> str:
    if step.over_long is None:
        return _("no due date")
    words = _("too long") if step.over_long else _("in time")
    return f":red[▲ {words}]" if step.over_long else f":green[✓ {words}]"


def _events(draw: Draw, course: Course) -> None:
    _heading(_("What happened when"))
    zone = draw.settings.zone
    happened: Sequence[Happening] = course.events
    st.table(
        pd.DataFrame(
            {
                _("When"): [numbers.moment(item.at, zone) for item in happened],
                _("What"): [_told(draw, item) for item in happened],
            }
        ),
        border="horizontal",
        hide_index=True,
        alt=_("What happened when"),
    )
    if any(item.seen for item in happened):
        st.caption(_("* seen when the source was read; it may have happened earlier"))


def _told(draw: Draw, item: Happening) -> str:
    name = EVENTS[item.event].text(draw.language)
    if item.event is Event.DUE and item.at > draw.as_of:
        name = f"**{name}**"
    if not item.seen:
        return name
    return f"{name}*: {_value(draw, item.event, item.old)} → {_value(draw, item.event, item.new)}"


def _value(draw: Draw, event: Event, value: Any) -> str:  # noqa: ANN401 - a kept text
    if value is None:
        return numbers.NONE
    if event is Event.STATUS:
        return label(Status(int(value)), draw.language)
    if event is Event.UNIT:
        return plain(str(draw.names("unit", [value]).get(value, value)))
    return numbers.moment(pd.Timestamp(value).to_pydatetime(), draw.settings.zone)


def _heading(words: str) -> None:
    st.markdown(f"##### {words}")
