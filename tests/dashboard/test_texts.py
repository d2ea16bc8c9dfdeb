"""Both languages are complete, and names from data cannot format a page."""

from __future__ import annotations

import re
import unicodedata

import pytest

from dashboard.catalogue import compare, texts_of_catalogue
from dashboard.texts import plain, translate
from warehouse.vocabulary import LABELS


def test_every_text_of_the_code_has_a_translation_and_none_is_idle() -> None:
    missing, idle = compare()
    assert not missing
    assert not idle


def test_translations_keep_the_places_of_values() -> None:
    for text, translation in texts_of_catalogue().items():
        assert sorted(re.findall(r"\{\w+\}", text)) == sorted(re.findall(r"\{\w+\}", translation)), text


def test_vietnamese_is_composed() -> None:
    words = [*texts_of_catalogue().values(), *(label.vi for label in LABELS.values())]
    assert all(unicodedata.is_normalized("NFC", word) for word in words)


def test_translate() -> None:
    assert translate("Overview", "vi") == "Tổng quan"
    assert translate("Overview", "en") == "Overview"


@pytest.mark.parametrize("name", ["**đậm**", "[x](http://a)", "<script>", ":red[x]", "a_b_c", "$x$", "`x`", "# x"])
def test_names_of_the_data_stay_letters(name: str) -> None:
    assert re.sub(r"\\(.)", r"\1", plain(name)) == name
    assert not re.search(r"(?<!\\)[*_\[\]<>`$#:]", plain(name))
