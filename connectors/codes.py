"""What the code of a dossier says by itself, as `H29.27634-220104-0001`: the unit and the day of receipt."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

SERIAL_SIGNS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHORTEST_SERIAL = 4
DAY = r"-(?P<said>\d{6})-$"
UNIT = r"^[A-Z]\d{2}\.(?P<said>\d{5})-\d{6}-$"
"""Only five digits are the number of a commune: shorter parts are an agency's own numbers, as in `H21.227-…`."""


def said_by_code(codes: Any, pattern: str) -> Any:  # noqa: ANN401 - Arrow text arrays
    """Return what `pattern` (DAY, UNIT) finds before the serial number of each code; null where it finds nothing.

    What stands before the serial number is the same for all dossiers of a unit and a day, so it is looked at once.
    """
    heads = pc.utf8_rtrim(codes, SERIAL_SIGNS)
    serial = pc.subtract(pc.binary_length(codes), pc.binary_length(heads))
    encoded = pc.dictionary_encode(heads)
    found = pc.struct_field(pc.extract_regex(encoded.dictionary, pattern), "said").take(encoded.indices)
    return pc.if_else(pc.greater_equal(serial, SHORTEST_SERIAL), found, pa.scalar(None, found.type))
