"""The words of the screens: English in the code, Vietnamese from a gettext catalogue.

`_` looks a text up in the language of the session; Vietnamese is the default. The catalogue is read as .po, so that
there is nothing to compile. A test fails when a text of the code is missing from it.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import cast

import streamlit as st
from babel.messages.pofile import read_po

from dashboard import resources
from warehouse.vocabulary import Language

CATALOGUE = Path(__file__).parent / "locale" / "vi.po"
LANGUAGE_KEY = "lang"
LANGUAGES: dict[Language, str] = {"vi": "Tiếng Việt", "en": "English"}


@cache
def _vietnamese() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="vi")
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


def current_language() -> Language:
    """Return the language of this session."""
    chosen = st.session_state.get(LANGUAGE_KEY) or st.query_params.get(LANGUAGE_KEY)
    return cast("Language", chosen if chosen in LANGUAGES else resources.settings().display.language)


def translate(text: str, language: Language) -> str:
    """Return `text` in `language`; English where the catalogue does not have it."""
    return text if language == "en" else _vietnamese().get(text, text)


def later(text: str) -> str:
    """Mark a text that is put into the session's language only when it is shown."""
    return text


def _(text: str, **values: object) -> str:
    """Return `text` in the session's language with `{name}` places filled in."""
    words = translate(text, current_language())
    return words.format(**values) if values else words


def plain(text: str) -> str:
    """Make a name of the data safe to stand in Markdown: its signs are letters, not formatting."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+!|<>~$:" else sign for sign in text)
