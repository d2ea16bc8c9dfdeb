"""Selections that live in the URL, as codes: the URL alone brings a view back, in any language.

Streamlit's own binding writes the words of an option into the URL, which change with the language; here it is the code.
A widget takes what `in_url` returns. It follows the URL when a link, the back button or a first visit changed it, and
writes the URL when the reader changed the widget; a selection that is the default is left out. The value to work with
is always `selected`: what a widget itself returns may lag behind by a run.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import streamlit as st

from dashboard.texts import LANGUAGE_KEY, current_language

_SEEN = "_url_"


def selected(name: str, default: str, options: Collection[str] | None = None) -> str:
    """Return the selection `name` of the URL; the default where it has none, or one that is not among `options`."""
    asked = st.query_params.get(name)
    return asked if asked and (options is None or asked in options) else default


def in_url(name: str, default: str, options: Collection[str] | None = None) -> dict[str, Any]:
    """Return the widget arguments (key, on_change, args) of a selection named `name` in the URL.

    A value of the URL that is not among `options` counts as the default; without `options` every text is accepted.
    The key changes with the language: a browser sends the words of an option, and those of another language would not
    be understood.
    """
    key = name if name == LANGUAGE_KEY else f"{name}-{current_language()}"
    asked = st.query_params.get(name)
    if key not in st.session_state or st.session_state.get(_SEEN + name) != asked:
        st.session_state[key] = selected(name, default, options)
        st.session_state[_SEEN + name] = asked
    return {"key": key, "on_change": _write, "args": (name, key, default)}


def _write(name: str, key: str, default: str) -> None:
    value = st.session_state[key]
    if value in {None, default}:
        st.query_params.pop(name, None)
    else:
        st.query_params[name] = str(value)
    st.session_state[_SEEN + name] = st.query_params.get(name)
