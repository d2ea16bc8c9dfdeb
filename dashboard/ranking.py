"""The parts of the ranking page: whose place, the places themselves, and how the score is computed."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from dashboard import navigation, numbers, ranking_ask
from dashboard.cards import card
from dashboard.draw import Draw
from dashboard.filters import View
from dashboard.shell import age_note
from dashboard.state import in_url, selected
from dashboard.tables import clickable, height_of
from dashboard.texts import _, later
from dashboard.tiles import explanation, head
from metrics import METRICS
from metrics.peers import FACTOR, peers
from metrics.ranking import COMPARED, Compared
from metrics.ranking import DEFAULT as DEFAULT_METHOD
from warehouse.vocabulary import UnitKind, label

OWN_KEY, AMONG_KEY, KIND_KEY = "unit", "among", "kind"
NOBODY = ""
ALL = "all"
AMONG = {
    ALL: later("All units"),
    "volume": later("Like number of dossiers"),
    "population": later("Like population"),
}
MINE = "●"
"""Stands before the name of one's own unit: a ground alone would be a colour alone."""


@dataclass(frozen=True)
class Board:
    """What the page shows: the ranking of one kind of unit, whose unit it is about, and which units are listed."""

    ranking: pd.DataFrame
    own: str | None
    among: str
    names: dict[str, str]

    @property
    def is_ranked(self) -> bool:
        """Whether the reader's unit has a place."""
        return self.own is not None and not pd.isna(self.row["rank"])

    @property
    def row(self) -> pd.Series:
        """The row of the reader's unit."""
        return self.ranking[self.ranking["unit"] == self.own].iloc[0]

    @property
    def last(self) -> int:
        """The last place of the kind."""
        ranks = self.ranking["rank"].dropna()
        return int(ranks.max()) if len(ranks) else 0

    def listed(self, units: pd.DataFrame) -> pd.DataFrame:
        """The rows that are listed: all, or the units of like size."""
        if self.own is None or self.among == ALL:
            return self.ranking
        chosen = peers(self.ranking, units, self.own, "volume" if self.among == "volume" else "population")
        return self.ranking[self.ranking["unit"].isin(chosen)]


def part_names() -> tuple[str, ...]:
    """Return the metrics of the parts, in the order of the method."""
    return tuple(part.metric for part in DEFAULT_METHOD.parts)


def movement(row: pd.Series) -> str:
    """Return the places won or lost as a sign and a number; † where the past is that of the merged units."""
    if pd.isna(row["rank"]) or pd.isna(row["previous_rank"]):
        return numbers.NONE
    merged = " †" if row["compared"] == str(Compared.PREDECESSORS) else ""
    steps = int(row["previous_rank"] - row["rank"])
    if steps == 0:
        return f"={merged}"
    return f"▲ {steps}{merged}" if steps > 0 else f"▼ {-steps}{merged}"


def choose(draw: Draw, view: View) -> Board:
    """Draw the choosers of one's own unit, of the kind of unit and of whom it is listed among."""
    ranking = ranking_ask.ranking(draw, view)
    names = {str(code): str(name) for code, name in draw.names("unit", [str(c) for c in ranking["unit"]]).items()}
    with st.container(key="ranking-choice", horizontal=True, vertical_alignment="center"):
        own = _own(draw, names)
        kind = _kind(draw, ranking, own)
        ranking = ranking[ranking["unit_kind"].isna() if kind is None else ranking["unit_kind"] == kind]
        own = own if own in set(ranking["unit"]) else None
        among = ALL
        if own is not None:
            st.segmented_control(
                _("Among"),
                list(AMONG),
                required=True,
                format_func=lambda name: _(AMONG[name]),
                label_visibility="collapsed",
                wrap=True,
                **in_url(AMONG_KEY, ALL, AMONG),
            )
            among = selected(AMONG_KEY, ALL, AMONG)
    return Board(ranking.reset_index(drop=True), own, among, names)


def _own(draw: Draw, names: dict[str, str]) -> str | None:
    usual = draw.settings.display.own_unit
    default = usual if usual in names else NOBODY
    options = [NOBODY, *sorted(names, key=lambda code: (names[code], code))]
    st.selectbox(
        _("My unit"),
        options,
        format_func=lambda code: names.get(code) or _("Choose my unit"),
        label_visibility="collapsed",
        icon=":material/push_pin:",
        width=300,
        **in_url(OWN_KEY, default, options),
    )
    return selected(OWN_KEY, default, options) or None


def _kind(draw: Draw, ranking: pd.DataFrame, own: str | None) -> str | None:
    """Choose the kind of unit, where there are several: each is ranked among its own."""
    kinds = [None if pd.isna(kind) else str(kind) for kind in ranking["unit_kind"].unique()]
    of_own = ranking.loc[ranking["unit"] == own, "unit_kind"]
    first = (None if pd.isna(of_own.iloc[0]) else str(of_own.iloc[0])) if len(of_own) else kinds[0]
    if len(kinds) == 1:
        return kinds[0]
    codes = [kind or NOBODY for kind in kinds]
    st.segmented_control(
        _("Kind of unit"),
        codes,
        required=True,
        format_func=lambda code: label(UnitKind(code), draw.language) if code else _("unknown"),
        label_visibility="collapsed",
        **in_url(KIND_KEY, first or NOBODY, codes),
    )
    return selected(KIND_KEY, first or NOBODY, codes) or None


def ranking_table(draw: Draw, board: Board) -> None:
    """Draw place, movement, score and the value of every part; a row opens the unit."""
    listed = board.listed(draw.units())
    parts = part_names()
    table = pd.DataFrame(
        {
            "rank": listed["rank"],
            "movement": listed.apply(movement, axis=1),
            "unit": [f"{MINE} {board.names[u]}" if u == board.own else board.names[u] for u in listed["unit"]],
            "score": listed["score"],
            **{name: listed[f"{name}_value"] for name in parts},
            "received": listed["volume"],
        }
    ).reset_index(drop=True)
    codes = [str(code) for code in listed["unit"]]
    with card("ranking", _("Places"), age_note(draw)):
        clickable(
            draw,
            table,
            _columns(draw),
            key="ranking_table",
            alt=_("Ranking of units"),
            shares=parts,
            counts=("rank", "received"),
            scores=("score",),
            mark=codes.index(board.own) if board.own in codes else None,
            on_row=lambda row: st.session_state.update(_ranked=codes[row]),
            height=height_of(len(table), 720),
        )
        _notes(draw, board, listed)
    if code := st.session_state.pop("_ranked", None):
        navigation.go(navigation.UNIT, unit=code)


def _columns(draw: Draw) -> dict[str, object]:
    return {
        "rank": st.column_config.NumberColumn(_("Place"), width=54, alignment="center"),
        "movement": st.column_config.TextColumn(
            _("Moved"), width=70, help=_("Places won or lost against the period before")
        ),
        "unit": st.column_config.TextColumn(_("Unit"), width=150),
        "score": st.column_config.NumberColumn(_("Score"), width=62),
        **{
            name: st.column_config.NumberColumn(head(draw, name), width=79, help=explanation(draw, name))
            for name in part_names()
        },
        "received": st.column_config.NumberColumn(_("Received"), width=79),
    }


def _notes(draw: Draw, board: Board, listed: pd.DataFrame) -> None:
    """Say what the table does not: who is not ranked, with what the past is compared, who is left out."""
    notes = []
    unranked = int(listed["rank"].isna().sum())
    if unranked:
        notes.append(
            _(
                "{count} units received fewer than {minimum} dossiers: listed, not ranked",
                count=unranked,
                minimum=DEFAULT_METHOD.minimum_volume,
            )
        )
    if len(listed) < len(board.ranking):
        place = int((listed["score"] > board.row["score"]).sum()) + 1
        notes.append(
            _(
                "{count} units of {low} to {high} times the size; place {place} among them",
                count=len(listed),
                low=numbers.number(1 / FACTOR, draw.language, 1),
                high=numbers.number(FACTOR, draw.language),
                place=place,
            )
        )
    for sign, compared in (("†", Compared.PREDECESSORS), (numbers.NONE, Compared.NOTHING)):
        if (listed["compared"] == str(compared)).any():
            words = COMPARED[compared].text(draw.language)
            notes.append(_("{sign} {words} (units rearranged)", sign=sign, words=words))
    if notes:
        st.caption("  \n".join(notes))


def method_card(draw: Draw) -> None:
    """Say how the score is computed: parts, weights, version."""
    with card("method", _("How the score is computed"), _("method {version}", version=DEFAULT_METHOD.version)):
        for part in DEFAULT_METHOD.parts:
            metric = METRICS[part.metric]
            weight = numbers.number(part.weight, draw.language)
            words = f"{metric.label.text(draw.language)}: {metric.definition.text(draw.language)}"
            st.markdown(_("**{weight} points** · {words}", weight=weight, words=words))
        st.caption(
            _(
                "A part in which nothing occurred is left out and the others count for its points. Equal scores share"
                " a place. This is our own estimate, not the official 766 score."
            )
        )
        st.caption(
            _(
                "Each kind of unit is ranked among its own. Units with fewer than {minimum} dossiers received in the"
                " period are listed, not ranked. A unit that was merged in the 2025 reform is compared with the total"
                " of the units that it was made of; one that was made of parts of units has no place before.",
                minimum=DEFAULT_METHOD.minimum_volume,
            )
        )
