"""The sources of the data page: which streams are connected, how old each is, what its runs did, what a sweep found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
import streamlit as st

from connectors.state import Freshness, SourceState
from dashboard import numbers
from dashboard.cards import card, good
from dashboard.data_parts import fact, facts, height_of
from dashboard.draw import Draw
from dashboard.shell import age_note, nothing_here
from dashboard.tables import instant_column, styled
from dashboard.texts import _, later, plain
from dashboard.theme import MARKDOWN, Meaning
from metrics import Period
from metrics.streams import StreamFacts, drift_days, missing_records, runs, stream_facts
from warehouse.sources import SourceSettings
from warehouse.vocabulary import BreakerState, Entity, RunKind, RunState, label

STREAM_KEY = "stream"
KINDS = {
    "rest": later("asked over HTTP"),
    "sql": later("asked as a database"),
    "file": later("read from files"),
    "push": later("sends by itself"),
}


@dataclass(frozen=True, slots=True)
class Stream:
    """One configured stream with all that is known of it."""

    settings: SourceSettings
    state: SourceState
    facts: StreamFacts

    @property
    def code(self) -> str:
        """How the URL names it."""
        return f"{self.settings.name}/{self.settings.entity}"


def sources_view(draw: Draw, period: Period) -> None:
    """Draw the facts about all streams, the list of streams, and the runs of the chosen one."""
    del period
    if not draw.states:
        nothing_here(_("No source configured"), _("Add [[sources]] to the settings; `ioc source new` writes a start."))
        return
    found = _streams(draw)
    _headlines(draw, found)
    chosen = _chosen(found)
    left, right = st.columns([1, 1.4], gap="small")
    with left:
        _list(draw, found, chosen)
    with right:
        _detail(draw, chosen)


def _streams(draw: Draw) -> list[Stream]:
    known = stream_facts(draw.connection, [(state.name, str(state.entity)) for state in draw.states])
    by_name = {(source.name, source.entity): source for source in draw.settings.sources}
    return [
        Stream(by_name[state.name, state.entity], state, known[state.name, str(state.entity)]) for state in draw.states
    ]


def judgement(stream: Stream) -> tuple[Meaning, str, str]:
    """Return what the state of a stream means, its sign and its word: the worst first."""
    state, breaker = stream.state, stream.facts.breaker
    failed = state.last_run is not None and state.last_run.state is RunState.FAILED
    verdicts = (
        (breaker is BreakerState.OPEN, Meaning.OVERDUE, ":material/link_off:", _("Cut off")),
        (state.freshness is Freshness.NEVER, Meaning.OVERDUE, ":material/warning:", _("No data yet")),
        (state.freshness is Freshness.OLD, Meaning.OVERDUE, ":material/warning:", _("Does not answer")),
        (breaker is BreakerState.HALF_OPEN, Meaning.DUE_SOON, ":material/sync_problem:", _("Trying again")),
        (state.freshness is Freshness.STALE, Meaning.DUE_SOON, ":material/schedule:", _("Behind")),
        (failed, Meaning.DUE_SOON, ":material/sync_problem:", _("Last run failed")),
        (True, Meaning.ON_TIME, ":material/check_circle:", _("Connected")),
    )
    return next((meaning, icon, word) for holds, meaning, icon, word in verdicts if holds)


def _headlines(draw: Draw, found: list[Stream]) -> None:
    language = draw.language
    well = sum(judgement(stream)[0] is Meaning.ON_TIME for stream in found)
    waiting = sum(stream.facts.quarantined for stream in found)
    missing = sum(stream.facts.missing for stream in found)
    drifting = sum(stream.facts.drift_days for stream in found)
    all_well = well == len(found)
    with facts(4):
        fact(
            "streams", _("Streams connected"),
            f"{numbers.number(well, language)}/{numbers.number(len(found), language)}",
            _("all as they should be") if all_well else _("see the list: the worst is marked red"),
            Meaning.ON_TIME if all_well else Meaning.OVERDUE,
        )  # fmt: skip
        fact(
            "waiting", _("In quarantine"), numbers.number(waiting, language),
            _("records refused, kept with the reason"), Meaning.DUE_SOON if waiting else Meaning.ON_TIME,
        )  # fmt: skip
        fact(
            "missing", _("Gone at the source"), numbers.number(missing, language),
            _("stored here, not found by the last sweep"), Meaning.DUE_SOON if missing else Meaning.ON_TIME,
        )  # fmt: skip
        fact(
            "drift", _("Days that differ"), numbers.number(drifting, language),
            _("count or content of a day differs from the source"), Meaning.DUE_SOON if drifting else Meaning.ON_TIME,
        )  # fmt: skip


def _list(draw: Draw, found: list[Stream], chosen: Stream) -> None:
    with card("streams", _("Sources"), age_note(draw)):
        for stream in found:
            _row(draw, stream, chosen=stream is chosen)


def _choose(code: str) -> None:
    st.query_params[STREAM_KEY] = code


def _row(draw: Draw, stream: Stream, *, chosen: bool) -> None:
    meaning, icon, word = judgement(stream)
    state, language = stream.state, draw.language
    key = stream.code.replace("/", "-")
    with (
        st.container(key=f"call-{key}", gap="xxsmall"),
        st.container(horizontal=True, vertical_alignment="top", gap="small"),
    ):
        with st.container(width="stretch", gap=None):
            st.button(
                f"{plain(state.name)} · {label(state.entity, language)}",
                key=f"open-{key}",
                on_click=_choose,
                args=(stream.code,),
                type="tertiary",
                icon=":material/arrow_right_alt:" if chosen else None,
                icon_position="right",
            )
            st.caption(_asked(draw, stream))
            if (run := state.last_run) is not None:
                st.caption(_last_run(draw, stream))
                if run.error:
                    st.caption(f":red[:material/error: {plain(run.error[:300])}]")
            if trouble := _trouble(draw, stream):
                st.caption(f":orange[:material/info: {trouble}]")
        with st.container(width="content", horizontal_alignment="right", gap="xxsmall"):
            st.badge(word, icon=icon, color=MARKDOWN[meaning])  # type: ignore[arg-type]
            age, most = numbers.span(state.age, language), numbers.span(state.max_age, language)
            st.caption(_("{age} of {most} allowed", age=age, most=most), width="content")


def _asked(draw: Draw, stream: Stream) -> str:
    words = _(KINDS[stream.settings.reader.kind])
    if stream.settings.reader.kind == "push":
        return words
    often = numbers.span(timedelta(seconds=stream.settings.interval_seconds), draw.language)
    return " · ".join([words, _("every {interval}", interval=often)])


def _last_run(draw: Draw, stream: Stream) -> str:
    run, language = stream.state.last_run, draw.language
    if run is None:
        return ""
    at = numbers.moment(run.finished_at or run.started_at, draw.settings.zone)
    bits = [f"{label(run.state, language)} {at}"]
    if run.read:
        read, stored, unchanged, refused = (
            numbers.number(value, language) for value in (run.read, run.stored, run.unchanged, run.quarantined)
        )
        parts = _(
            "read {read} = {stored} stored + {unchanged} unchanged + {refused} refused",
            read=read, stored=stored, unchanged=unchanged, refused=refused,
        )  # fmt: skip
        bits.append(parts)
    else:
        bits.append(_("nothing new"))
    if stream.facts.rate is not None:
        bits.append(_("{rate} records/s", rate=numbers.number(stream.facts.rate, language)))
    return " · ".join(bits)


def _trouble(draw: Draw, stream: Stream) -> str:
    """Say what is known to be wrong beside the run: the breaker's next try, records gone, days that differ."""
    known, language, bits = stream.facts, draw.language, []
    if known.breaker is not BreakerState.CLOSED:
        bits.append(_("{count} failed runs in a row", count=numbers.number(known.failures, language)))
    if known.try_at is not None and known.breaker is BreakerState.OPEN:
        bits.append(_("next try {time}", time=numbers.moment(known.try_at, draw.settings.zone)))
    if known.missing:
        bits.append(_("{count} gone at the source", count=numbers.number(known.missing, language)))
    if known.drift_days:
        first = numbers.day(known.first_drift, draw.settings.zone)
        bits.append(
            _("{count} days differ, the first {day}", count=numbers.number(known.drift_days, language), day=first)
        )
    if known.quarantined:
        bits.append(_("{count} in quarantine", count=numbers.number(known.quarantined, language)))
    return " · ".join(bits)


def _chosen(found: list[Stream]) -> Stream:
    """The stream that the URL names, else the worst, else that of the dossiers."""
    asked = st.query_params.get(STREAM_KEY)
    order = (Meaning.OVERDUE, Meaning.DUE_SOON, Meaning.ON_TIME)
    worst = min(found, key=lambda one: (order.index(judgement(one)[0]), one.settings.entity is not Entity.DOSSIER))
    return next((stream for stream in found if stream.code == asked), worst)


RUN_TITLES = {
    "started_at": later("Begun"),
    "kind": later("Kind"),
    "state": later("Outcome"),
    "read": later("Records read"),
    "stored": later("Stored"),
    "unchanged": later("Unchanged"),
    "quarantined": later("Refused"),
    "seconds": later("Seconds"),
    "rate": later("Records/s"),
    "error": later("Error"),
}


def _detail(draw: Draw, stream: Stream) -> None:
    name, entity = stream.settings.name, str(stream.settings.entity)
    title = f"{plain(name)} · {label(stream.settings.entity, draw.language)}"
    with card("runs", title, _("the last 20 runs")):
        frame = runs(draw.connection, name, entity)
        if frame.empty:
            st.caption(_("This source was never read"))
        else:
            _runs_table(draw, frame)
    if stream.facts.missing or stream.facts.drift_days:
        _sweep(draw, stream)


def _runs_table(draw: Draw, frame: pd.DataFrame) -> None:
    shown = frame[list(RUN_TITLES)].copy()
    shown["kind"] = [label(RunKind(kind), draw.language) for kind in frame["kind"]]
    shown["state"] = [label(RunState(state), draw.language) for state in frame["state"]]
    shown["error"] = frame["error"].fillna("")
    titles = {name: _(words) for name, words in RUN_TITLES.items()}
    columns = {
        name: (st.column_config.NumberColumn if name in COUNTED else st.column_config.TextColumn)(
            words, width=WIDTHS[name]
        )
        for name, words in titles.items()
    }
    columns["started_at"] = instant_column(draw, titles["started_at"])
    st.dataframe(
        styled(draw, shown, counts=("read", "stored", "unchanged", "quarantined", "rate"), scores=("seconds",)),
        key="runs_table",
        hide_index=True,
        column_config=columns,
        height=height_of(len(shown), 720),
        alt=_("The last runs of a source"),
        placeholder=numbers.NONE,
        row_height=34,
    )
    st.caption(_("A run that finds nothing new again and again is one line, from its first time on."))


WIDTHS = {
    "started_at": 130, "kind": 90, "state": 95, "read": 66, "stored": 66, "unchanged": 80, "quarantined": 66,
    "seconds": 68, "rate": 95, "error": 400,
}  # fmt: skip
COUNTED = ("read", "stored", "unchanged", "quarantined", "seconds", "rate")


def _sweep(draw: Draw, stream: Stream) -> None:
    name, entity = stream.settings.name, str(stream.settings.entity)
    with card("sweep", _("What the last sweep found"), _("records here against the source")):
        days = drift_days(draw.connection, name, entity)
        if len(days):
            columns = {"day": _("Day"), "ours": _("Here"), "theirs": _("At the source")}
            shown = days[list(columns)].rename(columns=columns)
            shown[_("Day")] = [numbers.day(day, draw.settings.zone) for day in days["day"]]
            st.dataframe(shown, hide_index=True, height=height_of(len(shown), 260), alt=_("Days that differ"))
        gone = missing_records(draw.connection, name, entity, limit=100)
        if gone.empty:
            good(_("No record is gone at the source"))
            return
        columns = {"code": _("Dossier code"), "missing_since": _("Missing since")}
        shown = gone.rename(columns=columns)
        shown[_("Missing since")] = [numbers.moment(at, draw.settings.zone) for at in gone["missing_since"]]
        st.dataframe(shown, hide_index=True, height=height_of(len(shown), 300), alt=_("Gone at the source"))
