"""The parts of the worklist page: the lists as tabs with their counts, their groups, and the chosen list."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard import numbers, worklist_ask
from dashboard.cards import card
from dashboard.draw import Draw
from dashboard.figures import figure
from dashboard.filters import URL_NAMES, View
from dashboard.state import in_url, put
from dashboard.styles import LISTS
from dashboard.tables import clickable, height_of
from dashboard.texts import _, later, plain
from dashboard.theme import Meaning
from dashboard.worklist_choice import (
    AGE_KEY,
    BY,
    BY_KEY,
    DEPARTMENT_KEY,
    FIRST,
    MEANINGS,
    TABS,
    UNKNOWN,
    Choice,
    change,
    list_mark,
    open_tab,
    read_choice,
)
from dashboard.worklist_table import list_card
from metrics import METRICS
from metrics.dimensions import OVERDUE_AGES
from metrics.worklist import KINDS

FROM = {
    "due_at": later("Due from"),
    "submitted_at": later("Handed in from"),
    "changed_at": later("Unchanged since"),
    "finished_at": later("Done since"),
}
GROUP_ROWS = 200


def worklist(draw: Draw, view: View) -> None:
    """Draw the tabs, the definition of the chosen list, its groups and its dossiers."""
    st.html(LISTS)
    choice = read_choice(view)
    _tabs(draw, choice)
    _definition(draw, choice.kind)
    left, right = st.columns([1, 2.7], gap="small")
    with left:
        _groups_card(draw, choice)
    with right:
        list_card(draw, choice, view)


def _tabs(draw: Draw, choice: Choice) -> None:
    """Draw one button for each list with its count; buttons, as a count that moves must not undo a click."""
    metrics = {kind: KINDS[kind].metric for kind in TABS}
    counts = draw.ask(tuple(metrics.values()), draw.period("today"), filters=choice.filters)
    with st.container(key="worklist-tabs", horizontal=True, gap="xsmall"):
        for kind, words in TABS.items():
            value = figure(counts, metrics[kind]).value
            meaning = MEANINGS.get(kind, Meaning.NEUTRAL) if value else Meaning.UNKNOWN
            with st.container(key=f"tab-{meaning}-{kind}", width="content"):
                st.button(
                    f"**{numbers.number(value, draw.language)}** {_(words)}",
                    key=f"kind-{kind}",
                    type="primary" if kind == choice.kind else "secondary",
                    on_click=open_tab,
                    args=(kind,),
                )


def _definition(draw: Draw, kind: str) -> None:
    metric = METRICS[KINDS[kind].metric]
    basis = f" *{metric.legal_basis}.*" if metric.legal_basis else ""
    st.caption(f"**{metric.label.text(draw.language)}** – {metric.definition.text(draw.language)}{basis}")


def _groups_card(draw: Draw, choice: Choice) -> None:
    """Draw who holds how many of the list; a row narrows the list to it."""
    units = choice.filters.get("unit", ())
    by = ("unit",) if choice.by == "unit" else ("department",) if len(units) == 1 else ("unit", "department")
    with card("worklist-groups", _("Who holds them")):
        st.segmented_control(
            _("Group"),
            list(BY),
            required=True,
            format_func=lambda name: _(BY[name]),
            label_visibility="collapsed",
            **in_url(BY_KEY, "unit", BY),
        )
        if choice.kind == FIRST:
            _ages(draw, choice)
        frame = worklist_ask.groups(draw, choice.kind, choice.of_groups, by).head(GROUP_ROWS)
        if frame.empty:
            st.caption(_("Nobody"))
            return
        _groups_table(draw, choice, frame)
        if by[-1] == "department" and frame["department"].isna().all():
            st.caption(_("No source tells which department holds a dossier; `dvcqg-step` reads the steps."))


def _groups_table(draw: Draw, choice: Choice, frame: pd.DataFrame) -> None:
    units = [str(code) for code in frame["unit"]] if "unit" in frame else [None] * len(frame)
    names = draw.names("unit", [code for code in units if code is not None])
    held = [None if pd.isna(name) else str(name) for name in frame["department"]] if "department" in frame else None
    table = pd.DataFrame(
        {
            "department": [name or _("unknown") for name in held or []] if held is not None else None,
            "unit": [names.get(code, code) for code in units],
            "dossiers": frame["dossiers"],
            "first": frame["first"],
        }
    )
    both = held is not None and "unit" in frame
    order = ("dossiers", "department", "unit") if both else (frame.columns[0], "dossiers", "first")
    table = table[list(order)]
    since = KINDS[choice.kind].since
    columns = {
        "department": st.column_config.TextColumn(_("Department"), width=150),
        "unit": st.column_config.TextColumn(_("Unit"), width=135),
        "dossiers": st.column_config.NumberColumn(_("Dossiers"), width=66),
        "first": st.column_config.DateColumn(_(FROM[since]), format="DD/MM/YYYY", width=112),
    }
    clickable(
        draw,
        table,
        {name: column for name, column in columns.items() if name in table},
        key=f"worklist_groups_{choice.by}",
        about=f"{list_mark(choice)}-{choice.page}",
        alt=_("Who holds them"),
        counts=("dossiers",),
        on_row=lambda row: _narrow(units[row], None if held is None else (held[row] or UNKNOWN)),
        height=height_of(len(table), 560),
    )


def _narrow(unit: str | None, department: str | None) -> None:
    values = {URL_NAMES["unit"]: unit, DEPARTMENT_KEY: department}
    change(**{name: value for name, value in values.items() if value is not None})


def _ages(draw: Draw, choice: Choice) -> None:
    """Draw the ages of the overdue with their counts; one narrows list and groups, and gives them back."""
    counts = draw.ask(("overdue",), draw.period("today"), by=("overdue_age",), filters=choice.filters)
    names = draw.names("overdue_age", list(OVERDUE_AGES))
    with st.container(key="worklist-ages", horizontal=True, gap="xsmall"):
        for age in OVERDUE_AGES:
            number = numbers.number(figure(counts, "overdue", overdue_age=age).value, draw.language)
            st.button(
                f"{plain(names[age])} · **{number}**",
                key=f"age-{age}",
                type="primary" if age == choice.age else "secondary",
                on_click=put,
                args=(AGE_KEY, "" if age == choice.age else age),
                help=_("Overdue for so long; again to see all"),
            )
