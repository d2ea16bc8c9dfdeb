"""What the reader of the worklist page chose: all of it in the URL, any of it nonsense."""

from __future__ import annotations

from dataclasses import dataclass, replace
from zlib import crc32

import streamlit as st

from dashboard import worklist_ask
from dashboard.filters import View
from dashboard.state import put, selected
from dashboard.texts import later
from dashboard.theme import Meaning
from metrics.dimensions import OVERDUE_AGES
from metrics.finding_words import LONGEST_SEARCH
from metrics.worklist import KINDS, Elapsed

TABS = {
    "overdue": later("Overdue"),
    "due_soon_8h": later("Due in 8 working hours"),
    "due_soon_24h": later("Due in 24 working hours"),
    "slow_acceptance": later("Slow acceptance"),
    "waiting": later("Waiting for the applicant"),
    "stale": later("No progress"),
    "finished_not_returned": later("Done, not handed over"),
    "open": later("Open"),
}
MEANINGS = {
    "overdue": Meaning.OVERDUE,
    "due_soon_8h": Meaning.DUE_SOON,
    "due_soon_24h": Meaning.DUE_SOON,
    "slow_acceptance": Meaning.OVERDUE,
}
KIND_KEY, SEARCH_KEY, AGE_KEY, BY_KEY = "kind", "q", "age", "by"
DEPARTMENT_KEY, ORDER_KEY, PAGE_KEY = "department", "order", "page"
FIRST = "overdue"
BY = {"unit": later("By unit"), "department": later("By department")}
UNKNOWN = "~"
"""Stands for an unknown department in the URL."""
SORTED = ("code", "unit", "procedure", "channel", "status", "submitted_at", "received_at", "due_at", "finished_at",
          "changed_at")  # fmt: skip
ROWS = 100
_MARK = "-"


@dataclass(frozen=True, slots=True)
class Choice:
    """The chosen list and what it is narrowed to; `order` None: the list's own; `page` from 1."""

    kind: str
    search: str
    age: str
    by: str
    department: str | None
    order: str | None
    page: int
    filters: dict[str, tuple[str, ...]]

    @property
    def selection(self) -> worklist_ask.Asked:
        """Everything that narrows the list."""
        return worklist_ask.asked(self.narrowed, self.search, self.department)

    @property
    def of_groups(self) -> worklist_ask.Asked:
        """What narrows the groups: all but the department, which is one of them."""
        return worklist_ask.asked(self.narrowed, self.search)

    @property
    def narrowed(self) -> dict[str, tuple[str, ...]]:
        """The filters of the bar and the age."""
        return self.filters | ({"overdue_age": (self.age,)} if self.age else {})

    @property
    def is_narrow(self) -> bool:
        """Whether it is less than the whole list that its tab counts."""
        return bool(self.search or self.age or self.department is not None)


def read_choice(view: View) -> Choice:
    """Return the choice of the URL; what it cannot mean is left out."""
    kind = selected(KIND_KEY, FIRST, TABS)
    department = st.query_params.get(DEPARTMENT_KEY)
    order = st.query_params.get(ORDER_KEY, "")
    choice = Choice(
        kind=kind,
        search=st.query_params.get(SEARCH_KEY, "").strip()[:LONGEST_SEARCH],
        age=selected(AGE_KEY, "", OVERDUE_AGES) if kind == "overdue" else "",
        by=selected(BY_KEY, "unit", BY),
        department=None if department is None else department.replace(UNKNOWN, ""),
        order=order if order.removeprefix("-") in SORTED else None,
        page=1,
        filters=view.filters,
    )
    return replace(choice, page=_page_of(choice))


def page_text(page: int, choice: Choice) -> str:
    """Return the page in the URL: with a mark of the list that it is a page of, empty for the first.

    Whatever else is changed leaves the mark of another list, and so begins at the top without a second change of URL.
    """
    return "" if page == 1 else f"{page}{_MARK}{list_mark(choice)}"


def _page_of(choice: Choice) -> int:
    text, _sign, mark = st.query_params.get(PAGE_KEY, "").partition(_MARK)
    if mark != list_mark(choice) or not (text.isascii() and text.isdigit() and len(text) < 7):
        return 1
    return max(1, int(text))


def list_mark(choice: Choice) -> str:
    """Return a short text of which list a choice is, and in which order."""
    return f"{crc32(repr((choice.kind, choice.order, choice.selection)).encode()):08x}"


def change(**values: str) -> None:
    """Write several selections into the URL at once: one step back undoes them."""
    st.query_params.from_dict({name: value for name, value in {**st.query_params, **values}.items() if value})


def open_tab(kind: str) -> None:
    """Show another list, in its own order."""
    change(**{KIND_KEY: "" if kind == FIRST else kind, ORDER_KEY: ""})


def order_by(column: str, choice: Choice) -> None:
    """Order by a column, or the other way round where the list is ordered by it already."""
    kind = KINDS[choice.kind]
    name = kind.since if column == "elapsed" else column
    if name in SORTED:
        now = choice.order or kind.order
        put(ORDER_KEY, f"-{name}" if now == name else name)


def direction(column: str, choice: Choice) -> str:
    """Return the sign of the order for a column's head; empty where the list is ordered by another."""
    kind = KINDS[choice.kind]
    now = choice.order or kind.order
    name = kind.since if column == "elapsed" else column
    if now.removeprefix("-") != name:
        return ""
    rising = not now.startswith("-")
    if column == "elapsed" and kind.elapsed is not Elapsed.HOURS_LEFT:
        rising = not rising  # the earliest instant has waited longest
    return " ▲" if rising else " ▼"


__all__ = ["BY", "Choice", "change", "direction", "open_tab", "order_by", "page_text", "read_choice"]
