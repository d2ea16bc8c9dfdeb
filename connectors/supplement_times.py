"""What the supplements of a dossier say about it: when the first was asked for, and how long it waited for them.

The figures of the 766 index need both (rule 2.1). A source that tells them itself is believed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

REQUESTED, PAUSED = "supplement_requested_at", "paused_seconds"


def with_supplement_times(dossiers: pd.DataFrame, supplements: pd.DataFrame, parent: NDArray[np.intp]) -> pd.DataFrame:
    """Fill the two columns where they are missing; `parent` is the row of the dossier of each supplement.

    Only supplements that were asked for and have come count as waiting, from the request to the receipt.
    """
    if not len(supplements):
        return dossiers
    asked = supplements["requested_at"]
    waited = (supplements["received_at"] - asked).dt.total_seconds()
    waited = waited.where(waited >= 0)
    first = asked.groupby(parent).min()
    total = waited.groupby(parent).sum(min_count=1).astype("Int64")
    return dossiers.assign(**{REQUESTED: _filled(dossiers[REQUESTED], first), PAUSED: _filled(dossiers[PAUSED], total)})


def _filled(told: pd.Series[Any], found: pd.Series[Any]) -> pd.Series[Any]:
    filled: pd.Series[Any] = told.fillna(found.reindex(told.index).astype(told.dtype))
    return filled
