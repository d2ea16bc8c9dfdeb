"""The words of the screens without a screen: the Vietnamese catalogue, for pages and exported boards alike.

English in the code, Vietnamese from a gettext catalogue, which is read as .po so that there is nothing to compile.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from warehouse.vocabulary import Language

CATALOGUE = Path(__file__).parent / "locale" / "vi.po"
LANGUAGES: dict[Language, str] = {"vi": "Tiếng Việt", "en": "English"}


@cache
def _vietnamese() -> dict[str, str]:
    with CATALOGUE.open("rb") as file:
        catalogue = read_po(file, locale="vi")
    return {str(message.id): str(message.string) for message in catalogue if message.id and message.string}


def translate(text: str, language: Language) -> str:
    """Return `text` in `language`; English where the catalogue does not have it."""
    return text if language == "en" else _vietnamese().get(text, text)


def later(text: str) -> str:
    """Mark a text that is put into the reader's language only when it is shown."""
    return text


def plain(text: str) -> str:
    """Make a name of the data safe to stand in Markdown: its signs are letters, not formatting."""
    return "".join(f"\\{sign}" if sign in r"\`*_{}[]()#+!|<>~$:" else sign for sign in text)
