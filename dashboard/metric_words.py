"""The words for a metric where its full name is too long: on a tile, in the head of a column."""

from __future__ import annotations

from dashboard.words import later, translate
from metrics import METRICS
from warehouse.vocabulary import Language

TITLES = {
    "overdue": later("Overdue"),
    "due_soon_24h": later("Due soon"),
    "open": later("Open"),
    "received": later("Received"),
    "resolved": later("Resolved"),
    "on_time_06": later("On time (form 06)"),
    "online_share_eligible": later("Online"),
    "satisfied_share": later("Satisfied"),
    "overdue_share": later("Overdue of open"),
}
"""Short titles; the full name and the definition are one touch away."""

HEADS = {
    "on_time_06": later("On time"),
    "overdue_share": later("Overdue"),
    "online_share_eligible": later("Online share"),
    "satisfied_share": later("Satisfied"),
}
"""Heads of narrow columns; the full name is one touch away."""


def short_title(metric: str, language: Language) -> str:
    """Return the short title of a metric, else its full name."""
    return translate(TITLES[metric], language) if metric in TITLES else METRICS[metric].label.text(language)


def short_head(metric: str, language: Language) -> str:
    """Return the head of a narrow column for a metric."""
    return translate(HEADS[metric], language) if metric in HEADS else short_title(metric, language)


def explained(metric: str, language: Language) -> str:
    """Return the full name, the definition and the legal basis of a metric, as Markdown."""
    found = METRICS[metric]
    basis = f" *{found.legal_basis}*" if found.legal_basis else ""
    return f"**{found.label.text(language)}** – {found.definition.text(language)}{basis}"
