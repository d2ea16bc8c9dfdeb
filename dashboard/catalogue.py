"""Keep the Vietnamese catalogue in step with the texts of the code: `python -m dashboard.catalogue`.

Prints the texts that the catalogue lacks and those that it has in vain; a test runs the same comparison.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from dashboard.texts import CATALOGUE

ROOT = Path(__file__).resolve().parent.parent
KEYWORDS = {"_": None, "later": None}


def texts_of_code() -> set[str]:
    """Return every text that the dashboard and the pages put through `_` or `later`."""
    found: set[str] = set()
    for folder in ("dashboard", "pages"):
        for _file, _line, text, _comments, _context in extract_from_dir(
            str(ROOT / folder), method_map=[("**.py", "python")], keywords=KEYWORDS
        ):
            if isinstance(text, str) and text:
                found.add(text)
    return found


def texts_of_catalogue() -> dict[str, str]:
    """Return the catalogue as text and translation."""
    with CATALOGUE.open("rb") as file:
        return {str(message.id): str(message.string) for message in read_po(file, locale="vi") if message.id}


def compare() -> tuple[set[str], set[str]]:
    """Return the texts without a translation, and the translations without a text."""
    code, catalogue = texts_of_code(), texts_of_catalogue()
    return {text for text in code if not catalogue.get(text)}, set(catalogue) - code


if __name__ == "__main__":
    missing, idle = compare()
    for text in sorted(missing):
        sys.stdout.write(f"missing: {text}\n")
    for text in sorted(idle):
        sys.stdout.write(f"idle:    {text}\n")
    sys.exit(1 if missing or idle else 0)
