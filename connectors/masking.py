"""Masking what looks like personal data in a field where no such thing should be, before it is kept in quarantine.

A mapping names no personal field, but people type a phone number where the unit's code belongs. What looks like a
Vietnamese phone number, a number of a citizen's card (CCCD, 12 digits) or of an old identity card (9 digits), an e-mail
address, or, in a field of codes, a person's name, is not kept: of the whole value at most the last four digits are.
"""

from __future__ import annotations

import re
import unicodedata

LONGEST_CODE = 200
"""In a field of codes a longer text is no code, whatever it is: only its length is kept."""

_GAP = r"[ .()\-]{0,2}"
_PHONE = re.compile(rf"(?<!\d)(?:\+?84{_GAP}|0)(?:[35789](?:{_GAP}\d){{8}}|2(?:{_GAP}\d){{9}})(?!\d)")
_CITIZEN = re.compile(rf"(?<!\d)0(?:0[1-9]|[1-8]\d|9[0-6])(?:{_GAP}\d){{9}}(?!\d)")
_IDENTITY = re.compile(rf"(?<![\w.,\-]){_GAP}\d{{3}}{_GAP}\d{{3}}{_GAP}\d{{3}}(?![\w,\-]|\.\w)")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_DATE = re.compile(r"(?<!\d)(?:\d{1,2}[./\-]\d{1,2}[./\-]\d{4}|\d{4}[./\-]\d{1,2}[./\-]\d{1,2})(?!\d)")
_SUSPECT = re.compile(r"[@\s]|(?:\d[ .()\-]{0,2}){9}")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SURNAMES = _words(
    "nguyen tran le pham hoang huynh phan vu vo dang bui do ho ngo duong ly trinh dinh lam doan mai truong cao ta ha"
    " luong to chau phung quach tang thai dao vuong luu nong trieu tong la kieu doan giang chu tu"
)
_PLACES = _words("phuong xa tran quan huyen tinh pho duong ap thon khom cho truong vien ubnd")
_NO_NAMES = ("ho chi minh", "ho so")
_WORD = re.compile(r"[^\W\d_]+")


def mask(text: str, *, codes: bool, numbers: bool = False) -> str:
    """Return the text, or what may be kept of it.

    `codes`: it stands in a field of codes, dates or numbers, where a person's name is out of place; `numbers`: nine
    digits there are a number, or a key, like any other.
    """
    if codes and len(text) > LONGEST_CODE:
        return f"***({len(text)})"
    if not _SUSPECT.search(text):
        return text
    plain = unicodedata.normalize("NFC", text)
    undated = _DATE.sub(" / ", plain)
    found = _PHONE.search(undated) or _CITIZEN.search(undated) or (None if numbers else _IDENTITY.search(undated))
    if found:
        return "***" + re.sub(r"\D", "", found.group())[-4:]
    return "***" if _MAIL.search(plain) or (codes and _is_name(plain)) else text


def mask_within(text: str) -> str:
    """Return a sentence about a record without what looks like a phone number, a card or an e-mail address."""
    for pattern in (_MAIL, _PHONE, _CITIZEN):
        text = pattern.sub("***", text)
    return text


def _is_name(text: str) -> bool:
    """Whether a surname and two more capitalised words stand there, and no word that says that it is a place."""
    words = _WORD.findall(text)
    plain = [_bare(word) for word in words]
    for start, surname in enumerate(plain[:-2]):
        if surname not in _SURNAMES or not all(word[0].isupper() for word in words[start : start + 3]):
            continue
        a_place = start > 0 and plain[start - 1] in _PLACES
        if not a_place and not " ".join(plain[start : start + 3]).startswith(_NO_NAMES):
            return True
    return False


def _bare(word: str) -> str:
    """The word without its marks, in small letters: many systems write names without them."""
    parted = unicodedata.normalize("NFD", word.casefold().replace("đ", "d"))
    return "".join(sign for sign in parted if not unicodedata.combining(sign))


__all__ = ["mask", "mask_within"]
