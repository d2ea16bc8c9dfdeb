"""The words of a session: `_` looks a text up in the language that its reader chose; Vietnamese is the default.

The catalogue is in dashboard/words.py. A test fails when a text of the code is missing from it.
"""

from __future__ import annotations

from typing import cast

import streamlit as st

from dashboard import resources
from dashboard.words import CATALOGUE, LANGUAGES, later, plain, translate
from warehouse.vocabulary import Language

LANGUAGE_KEY = "lang"


def current_language() -> Language:
    """Return the language of this session."""
    chosen = st.session_state.get(LANGUAGE_KEY) or st.query_params.get(LANGUAGE_KEY)
    return cast("Language", chosen if chosen in LANGUAGES else resources.settings().display.language)


def _(text: str, **values: object) -> str:
    """Return `text` in the session's language with `{name}` places filled in."""
    words = translate(text, current_language())
    return words.format(**values) if values else words


__all__ = ["CATALOGUE", "LANGUAGES", "LANGUAGE_KEY", "_", "current_language", "later", "plain", "translate"]
