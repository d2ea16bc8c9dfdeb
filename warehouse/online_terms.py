"""The words for the levels of online service: those of NĐ 42/2022/NĐ-CP, the numbers used until 2022, or both.

The code of a level is the same under either name (mức độ 4: toàn trình, mức độ 3: một phần, mức độ 1 and 2: information
only), so that figures of years before and after 2022 stand in one column. Mappings read both (connectors/presets).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

from warehouse.vocabulary import LABELS, Label, OnlineLevel

OnlineTerms = Literal["new", "old", "both"]

OLD: Mapping[OnlineLevel, Label] = {
    OnlineLevel.INFORMATION: Label("Mức độ 1, 2", "Levels 1 and 2"),
    OnlineLevel.PARTIAL: Label("Mức độ 3", "Level 3"),
    OnlineLevel.FULL: Label("Mức độ 4", "Level 4"),
}
"""What the levels were called until 2022."""
_PHRASES = {
    OnlineLevel.FULL: re.compile(r"toàn trình|fully online", re.IGNORECASE),
    OnlineLevel.PARTIAL: re.compile(r"một phần|partly online", re.IGNORECASE),
}


def online_level(level: OnlineLevel, terms: OnlineTerms = "new") -> Label:
    """Return the words of a level: new, old, or the new ones with the old ones in brackets."""
    new, old = LABELS[OnlineLevel, level], OLD[level]
    if terms == "both":
        return Label(f"{new.vi} ({_small(old.vi)})", f"{new.en} ({_small(old.en)})")
    return old if terms == "old" else new


def in_online_terms(label: Label, terms: OnlineTerms = "new") -> Label:
    """Return a label that speaks of levels (the name of a metric) in the terms that are set; others are unchanged."""
    return label if terms == "new" else Label(_reworded(label.vi, "vi", terms), _reworded(label.en, "en", terms))


def _reworded(text: str, language: Literal["vi", "en"], terms: OnlineTerms) -> str:
    if any(old.text(language).casefold() in text.casefold() for old in OLD.values()):
        return text  # it names both already
    for level, phrase in _PHRASES.items():
        old = OLD[level].text(language)

        def written(match: re.Match[str], old: str = old) -> str:
            if terms == "both":
                return f"{match[0]} ({_small(old)})"
            return old if match[0][0].isupper() else _small(old)

        text = phrase.sub(written, text)
    return text


def _small(text: str) -> str:
    return text[0].lower() + text[1:]


__all__ = ["OLD", "OnlineTerms", "in_online_terms", "online_level"]
