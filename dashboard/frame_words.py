"""Words that Streamlit itself puts on a page, and the words that stand there instead.

Streamlit has no translations. dashboard/static/frame.js replaces whole texts, labels and placeholders of its own parts
in the browser; text of ours, which is Markdown, is left alone. A browser test looks for what is left.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from importlib.resources import files

from dashboard.words import LANGUAGES, later, translate
from warehouse.vocabulary import Language

WORDS: tuple[str, ...] = (
    later("No results"),
    later("Select all"),
    later("Clear all"),
    later("Clear value"),
    later("Choose options"),
    later("Choose an option"),
    later("Choose or add an option"),
    later("Choose or add options"),
    later("Select or add an option"),
    later("Selectbox options"),
    later("Close"),
    later("Remove"),
    later("Back"),
    later("App pages"),
    later("Pagination"),
    later("Previous page"),
    later("Next page"),
    later("Sort ascending"),
    later("Sort descending"),
    later("Format"),
    later("Autosize"),
    later("Pin column"),
    later("Unpin column"),
    later("Hide column"),
    later("Search"),
    later("Fullscreen"),
    later("Close fullscreen"),
    later("Download as CSV"),
    later("Download"),
    later("Show/hide columns"),
    later("Connection error"),
    later("Page not found"),
    later("The page that you have requested does not seem to exist. Running the app's main page."),
    later("Skip to main content"),
    later("Link to heading"),
    later("Selected values"),
    later("Dismiss"),
    later("Vega visualization"),
    later("View less"),
    later("Loading..."),
    later("Copy to clipboard"),
    later("Help"),
)
"""Whole texts."""

PATTERNS: tuple[str, ...] = (
    later("Add: {x}"),
    later("{x} option available."),
    later("{x} options available."),
    later("Remove {x}"),
    later("Select {x} matches"),
    later("{x} more"),
    later("View {x} more"),
    later("Help for {x}"),
    later("You have requested page {x}"),
    later("You can only select up to {x}"),
)
"""Texts with a part that stays."""

LOST = later(
    "The connection to the server is lost. What you see is what was known then; the page comes back by itself."
)


HIDDEN = "\u2063"
"""Sign behind which frame.js shows nothing; Streamlit's search reads on."""


def searchable(name: str) -> str:
    """Return an option of a list of several that is also found by its letters without marks: "vinh loc"."""
    letters = unicodedata.normalize("NFD", name.replace("đ", "d").replace("Đ", "D"))
    bare = "".join(sign for sign in letters if not unicodedata.combining(sign))
    return name if bare == name else f"{name}{HIDDEN} {bare}"


def script(default: Language) -> str:
    """Return the script of the page frame with the words of every language but English in it."""
    words = {language: _of(language) for language in LANGUAGES if language != "en"}
    lost = {language: translate(LOST, language) for language in LANGUAGES}
    data = {"standard": default, "words": words, "lost": lost}
    code = files("dashboard").joinpath("static", "frame.js").read_text(encoding="utf-8")
    return f"window.iocFrame = {json.dumps(data, ensure_ascii=False)};\n{code}"


def _of(language: Language) -> Mapping[str, object]:
    return {
        "whole": {text: translate(text, language) for text in WORDS},
        "patterns": [[text, translate(text, language)] for text in PATTERNS],
    }
