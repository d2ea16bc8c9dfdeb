"""Finding the encoding of a text file: by its byte order mark, as strict UTF-8, then by what the words look like.

Windows-1258 writes Vietnamese vowels and tone marks apart, so its words can be told: nine of ten must be syllables of
Vietnamese once put together. Western text (windows-1252) must look like words of it. Anything else (TCVN3, VNI, mixed
encodings) is an error that asks for the setting: wrong letters must not be stored as good ones.
"""

from __future__ import annotations

import codecs
import io
import re
import unicodedata
from typing import BinaryIO

from warehouse.errors import RefusedInput

PLAIN = frozenset({"utf-8", "utf8", "utf-8-sig", "utf_8", "ascii", "us-ascii"})
SAMPLE_BYTES = 256 * 2**10
EVIDENCE_BYTES = 64 * 2**10
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"), (codecs.BOM_UTF32_BE, "utf-32"), (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
)  # fmt: skip
_ZEROS, _NO_ZEROS = 0.3, 0.05
_VIETNAMESE, _NOT_VIETNAMESE, _WESTERN, _AFTER_VOWEL, _ACCENTS = 0.9, 0.5, 0.95, 1 / 3, 0.4

# between words: everything of ASCII but letters, the space that does not break, typographic dots, quotes and dashes
_WORD = re.compile(rb"[A-Za-z\x80-\x84\x86-\x90\x98-\x9f\xa1-\xff]+")
_TONES = re.compile("[\u0300\u0301\u0303\u0309\u0323]")
_SYLLABLE = re.compile(
    "(?:ngh|ng|nh|ch|gh|gi|kh|ph|qu|th|tr|[bcdđghklmnpqrstvx])?(?!ă(?![cmnpt]))[aăâeêioôơuưy]{1,3}(?:ch|ng|nh|[cmnpt])?"
)


def is_plain(encoding: str) -> bool:
    """Say whether files of this encoding can be read as they are."""
    return encoding.lower() in PLAIN


def find_encoding(head: bytes) -> str | None:
    """Say in which encoding a text that begins so is written; None: it cannot be told.

    UTF-8 is said of a beginning that is ASCII only, too: whoever reads on must not trust it behind that.
    """
    for mark, name in _MARKS:
        if head.startswith(mark):
            return name
    if wide := _wide(head[:4096]):
        return wide
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return by_evidence(head)
    return "utf-8"


def _wide(head: bytes) -> str | None:
    """UTF-16 without a mark: every other byte of digits and Latin letters is zero."""
    if len(head) < 4:
        return None
    odd, even = head[1::2].count(0) / len(head[1::2]), head[::2].count(0) / len(head[::2])
    if odd >= _ZEROS and even <= _NO_ZEROS:
        return "utf-16-le"
    return "utf-16-be" if even >= _ZEROS and odd <= _NO_ZEROS else None


def by_evidence(text: bytes) -> str | None:
    """Choose between windows-1258 and windows-1252 by the words that have letters beyond ASCII."""
    words = [word for word in set(_WORD.findall(text)) if not word.isascii()]
    judged = [verdict for word in words if (verdict := _is_vietnamese(word)) is not None]
    share = sum(judged) / len(judged) if judged else 0.0
    if judged and share >= _VIETNAMESE:
        return "cp1258"
    if not judged or share > _NOT_VIETNAMESE:
        return None
    letters = [word for word in words if _is_western(word)]
    if len(letters) < _WESTERN * len(words):
        return None
    after = sum(len(re.findall(rb"(?<=[aeiouyAEIOUY])[\x80-\xff]", word)) for word in words)
    beyond = sum(byte >= 0x80 for word in words for byte in word)
    if beyond > _ACCENTS * sum(map(len, words)):
        return None
    return "cp1252" if after <= _AFTER_VOWEL * beyond else None  # VNI writes a vowel, then its marks


def _is_vietnamese(word: bytes) -> bool | None:
    """Say whether a word of windows-1258 is one syllable; None: an abbreviation such as QĐ, which says nothing."""
    try:
        text = unicodedata.normalize("NFC", word.decode("cp1258"))
    except UnicodeDecodeError:
        return False
    if re.fullmatch("[B-ZĐ]{1,8}", text) and not re.search("[AEIOUY]", text):
        return None
    bare, tones = _TONES.subn("", unicodedata.normalize("NFD", text.lower()))
    return tones <= 1 and _SYLLABLE.fullmatch(unicodedata.normalize("NFC", bare)) is not None


def _is_western(word: bytes) -> bool:
    try:
        text = word.decode("cp1252")
    except UnicodeDecodeError:
        return False
    if not text.isalpha() or any(sign in "ðÐþÞ" for sign in text):  # where windows-1258 has đ and a tone
        return False
    return text.islower() or text.isupper() or text.istitle()


def gather_evidence(raw: BinaryIO) -> str | None:
    """Read a text that is no UTF-8 to its end, and choose by all its lines with letters beyond ASCII.

    A text in which other bytes than ASCII are well-formed UTF-8 here and not there has no one encoding: None.
    """
    found = bytearray()
    while len(found) < EVIDENCE_BYTES and (block := raw.read(2**20)):
        found += b"\n".join(line[:4096] for line in re.split(rb"[\r\n]+", block) if not line.isascii())
    return by_evidence(bytes(found[: 2 * EVIDENCE_BYTES]))


class Utf8Stream(io.RawIOBase):
    """A stream of UTF-8 over a stream of another encoding.

    Raises UnicodeDecodeError for bytes that the encoding does not have.
    """

    def __init__(self, raw: BinaryIO, encoding: str) -> None:
        self._raw, self._decoder = raw, codecs.getincrementaldecoder(encoding)()
        self._ready, self._ended = b"", False

    def readable(self) -> bool:
        """It can be read."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes; none at the end."""
        wanted = size if size >= 0 else 2**62
        parts, have = [self._ready], len(self._ready)
        while have < wanted and not self._ended:
            block = self._raw.read(min(wanted, 2**20))
            self._ended = not block
            parts.append(self._decoder.decode(block, final=self._ended).encode())
            have += len(parts[-1])
        whole = b"".join(parts)
        self._ready = whole[wanted:]
        return whole[:wanted]

    def close(self) -> None:
        """Close the stream below, too."""
        self._raw.close()
        super().close()


def decoder(shown: str, encoding: str) -> codecs.IncrementalDecoder:
    """Return a strict decoder.

    Raises RefusedInput for a name that is no encoding.
    """
    try:
        return codecs.getincrementaldecoder("utf-8-sig" if is_plain(encoding) else encoding)()
    except LookupError:
        raise RefusedInput(f"{shown}: no encoding is called {encoding!r}; set encoding, or auto") from None


def undecided(shown: str) -> RefusedInput:
    """Say that the encoding has to be told."""
    return RefusedInput(
        f"{shown}: its text is no UTF-8, and which code page it is in cannot be told for certain; set encoding, for"
        " example windows-1258, or write it again as UTF-8"
    )
