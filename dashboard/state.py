"""Selections that live in the URL, as codes: the URL alone brings a view back, in any language.

Streamlit's own binding writes the words of an option into the URL, which change with the language; here it is the code.
A widget takes what `in_url` returns. It follows the URL when a link, the back button or a first visit changed it, and
writes the URL when the reader changed the widget; a selection that is the default is left out.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st

_SEEN = "_url_"


def in_url(name: str, default: str, options: Collection[str] | None = None) -> dict[str, Any]:
    """Return the widget arguments (key, on_change, args) of a selection named `name` in the URL.

    A value of the URL that is not among `options` counts as the default; without `options` every text is accepted.
    """
    asked = st.query_params.get(name)
    if name not in st.session_state or st.session_state.get(_SEEN + name, default) != asked:
        st.session_state[name] = asked if asked and (options is None or asked in options) else default
        st.session_state[_SEEN + name] = asked
    return {"key": name, "on_change": _write, "args": (name, default)}


def _write(name: str, default: str) -> None:
    value = st.session_state[name]
    if value in {None, default}:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)
    st.session_state[_SEEN + name] = st.query_params.get(name)
