"""The words for a metric where its full name is too long: on a tile, in the head of a column."""

from __future__ import annotations

from dashboard.words import later, translate
from metrics import METRICS
from warehouse.online_terms import OnlineTerms, in_online_terms
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
    "full_online_share": later("Fully online"),
    "digitised_share": later("Digitised"),
    "reused_share": later("Data reused"),
    "online_payment_share": later("Paid online"),
    "slow_acceptance_share": later("Accepted late"),
}
"""Short titles; the full name and the definition are one touch away."""

HEADS = {
    "on_time_06": later("On time"),
    "overdue_share": later("Overdue"),
    "online_share_eligible": later("Online share"),
    "satisfied_share": later("Satisfied"),
}
"""Heads of narrow columns; the full name is one touch away."""


def short_title(metric: str, language: Language, terms: OnlineTerms = "new") -> str:
    """Return the short title of a metric, else its full name; levels of online service in the terms that are set."""
    if metric in TITLES:
        return translate(TITLES[metric], language)
    return in_online_terms(METRICS[metric].label, terms).text(language)


def short_head(metric: str, language: Language, terms: OnlineTerms = "new") -> str:
    """Return the head of a narrow column for a metric."""
    return translate(HEADS[metric], language) if metric in HEADS else short_title(metric, language, terms)


def explained(metric: str, language: Language, terms: OnlineTerms = "new") -> str:
    """Return the full name, the definition and the legal basis of a metric, as Markdown."""
    found = METRICS[metric]
    label, definition = (in_online_terms(words, terms).text(language) for words in (found.label, found.definition))
    basis = f" *{found.legal_basis}*" if found.legal_basis else ""
    return f"**{label}** – {definition}{basis}"
