"""One's own unit in the ranking: its place and what would move it up; the parts of all scores as small bars."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go
import streamlit as st

from dashboard import charts, navigation, numbers
from dashboard.cards import card, careful, good
from dashboard.draw import Draw
from dashboard.ranking import MINE, Board, movement, part_names
from dashboard.shell import age_note
from dashboard.texts import _, later, plain
from dashboard.theme import COLOURS, Meaning, layout, palette
from dashboard.tiles import explanation, title
from metrics import METRICS, Direction
from metrics.ranking import DEFAULT as DEFAULT_METHOD
from metrics.ranking_gain import gains, next_above

ACTS = {
    "on_time_06": later("{count} more dossiers resolved on time"),
    "overdue_share": later("{count} overdue dossiers finished"),
    "online_share_eligible": later("{count} more dossiers handed in online"),
    "satisfied_share": later("{count} more satisfied answers"),
}
ANY_ACT = later("{count} more cases as they should be")
BARS, ROW = 24, 24
"""So many units have a bar in each part; of more, the best, those around one's own and the last are shown."""


def own_card(draw: Draw, board: Board) -> None:
    """Draw the place of the reader's unit, and for each part what is missing and how many events lift it."""
    if board.own is None:
        with card("own", _("My unit"), age_note(draw)):
            st.caption(_("Choose your unit above: it is pinned here with what would move it up."))
        return
    row = board.row
    with card("own", f"{MINE} {plain(board.names[board.own])}", age_note(draw)):
        if not board.is_ranked:
            _unranked(draw, row)
            return
        score = numbers.number(float(row["score"]), draw.language, DEFAULT_METHOD.decimals)
        place = _("place {place} of {last}", place=int(row["rank"]), last=board.last)
        st.markdown(f"## {place} :small[{movement(row)} · " + _("{score} points", score=score) + "]")
        _advice(draw, board)
        navigation.link(navigation.UNIT, _("Open the unit"), unit=board.own)


def _unranked(draw: Draw, row: pd.Series) -> None:
    short = DEFAULT_METHOD.minimum_volume - int(row["volume"])
    careful(
        _(
            "Not ranked: {volume} dossiers received in the period, {short} too few",
            volume=numbers.number(int(row["volume"]), draw.language),
            short=numbers.number(short, draw.language),
        )
    )


def _advice(draw: Draw, board: Board) -> None:
    table = gains(board.ranking, str(board.own))
    above = next_above(board.ranking, str(board.own))
    if above is None:
        good(_("Leads its kind"))
    else:
        names = ", ".join(plain(board.names[code]) for code in above.units[:3])
        gap = numbers.number(above.score - float(board.row["score"]), draw.language, DEFAULT_METHOD.decimals)
        st.markdown(_("Next above: **{names}**, {gap} points ahead", names=names, gap=gap))
        best = table.dropna(subset=["needed"]).sort_values("needed").head(1)
        for row in best.itertuples():
            st.markdown(f":blue[:material/trending_up: **{_act(draw, row)}**]")
    for row in table.itertuples():
        _part(draw, row, first=bool(row.Index == 0), volume=int(board.row["volume"]))
    st.caption(
        _("Each row by itself, everything else as it is. Finishing an overdue dossier counts as resolved late too.")
    )


def _act(draw: Draw, row: Any) -> str:  # noqa: ANN401 - a row of gains
    words = _(ACTS.get(row.part, ANY_ACT), count=numbers.number(int(row.needed), draw.language))
    return _("{act}: place {place}", act=words, place=int(row.rank))


def _part(draw: Draw, row: Any, *, first: bool, volume: int) -> None:  # noqa: ANN401 - a row of gains
    """Draw one part: its name, how much of its points there is as a bar, numerator and denominator, and the way up."""
    name = title(draw, row.part)
    if pd.isna(row.points):
        words = _("nothing occurred")
        st.progress(0.0, text=f"**{name}** · {words}")
    else:
        points, weight = (numbers.number(float(value), draw.language, 1) for value in (row.points, row.weight))
        missing = numbers.number(float(row.missing), draw.language, 1)
        counts = "/".join(numbers.number(int(value), draw.language) for value in (row.numerator, row.denominator))
        value = numbers.percent(float(row.value), draw.language)
        told = _("{points} of {weight} points", points=points, weight=weight)
        most = f" · :orange[{_most_to_gain(missing)}]" if first and row.missing > 0 else ""
        st.progress(
            min(1.0, max(0.0, float(row.points) / float(row.weight))),
            text=f"**{name}** {value} :gray[({counts})] · {told}{most}",
        )
    if pd.isna(row.needed):
        st.caption(_("not enough by itself to pass the next unit"))
    elif int(row.needed) > volume:
        st.caption(_("{act}: more than the unit received in the period", act=_act(draw, row)))
    else:
        st.caption(f":material/arrow_upward: {_act(draw, row)}", help=explanation(draw, row.part))


def _most_to_gain(missing: str) -> str:
    return _("most to gain: {points} points", points=missing)


def parts_card(draw: Draw, board: Board) -> None:
    """Draw each part of the score as bars of its own, best on top, with numerator and denominator."""
    ranked = board.ranking[board.ranking["rank"].notna()]
    with card("score", _("What the score is made of"), _("every part by itself, best on top")):
        if ranked.empty:
            st.caption(_("No unit has enough dossiers in this period"))
            return
        with st.grid(len(part_names()), min_column_width=280, gap="small"):
            for part in DEFAULT_METHOD.parts:
                with st.container():
                    weight = numbers.number(part.weight, draw.language)
                    words = _("{weight} points", weight=weight)
                    st.markdown(f"**{title(draw, part.metric)}** :small[{words}]", help=explanation(draw, part.metric))
                    _bars(draw, board, ranked, part.metric)


def _bars(draw: Draw, board: Board, ranked: pd.DataFrame, part: str) -> None:
    known = ranked[ranked[f"{part}_value"].notna()]
    if known.empty:
        st.caption(_("nothing occurred"))
        return
    lower = METRICS[part].direction is Direction.LOWER
    ordered = known.sort_values([f"{part}_value", "unit"], ascending=[lower, True]).reset_index(drop=True)
    rows = ordered.iloc[_shown(len(ordered), ordered.index[ordered["unit"] == board.own].tolist())]
    charts.show(
        _figure(draw, board, rows, part, usual=Meaning.OVERDUE if lower else Meaning.NEUTRAL),
        key=f"part-{part}",
        alt=_("{metric} by unit", metric=METRICS[part].label.text(draw.language)),
    )
    if len(rows) < len(ordered):
        shown, all_ = (numbers.number(count, draw.language) for count in (len(rows), len(ordered)))
        st.caption(_("{shown} of {all} units: the best, those around mine, the last", shown=shown, all=all_))


def _shown(count: int, own: list[int]) -> list[int]:
    """The positions that are shown: all, or the first, those around one's own, and the last."""
    if count <= BARS:
        return list(range(count))
    middle = own[0] if own else 0
    around = range(max(0, middle - 5), min(count, middle + 6))
    return sorted({*range(8), *around, *range(count - 5, count)})


def _figure(draw: Draw, board: Board, rows: pd.DataFrame, part: str, *, usual: Meaning) -> go.Figure:
    dark = st.context.theme.type == "dark"
    own = [str(code) == board.own for code in rows["unit"]]
    names = [board.names[str(code)] for code in rows["unit"]]
    values = [float(value) for value in rows[f"{part}_value"]]
    pairs = zip(rows[f"{part}_numerator"], rows[f"{part}_denominator"], strict=True)
    counts = ["/".join(numbers.number(int(n), draw.language) for n in pair) for pair in pairs]
    words = [f"{numbers.percent(value, draw.language)} · {told}" for value, told in zip(values, counts, strict=True)]
    faint = [1.0 if mine or not any(own) else 0.5 for mine in own]
    ink = palette(dark=dark).ink
    figure = go.Figure(layout=layout(dark=dark, height=16 + ROW * len(rows)))
    figure.add_bar(
        y=[f"<b>{MINE} {name}</b>" if mine else name for name, mine in zip(names, own, strict=True)],
        x=values,
        orientation="h",
        marker={"color": COLOURS[usual], "opacity": faint, "cornerradius": 3},
        text=[f"<b>{word}</b>" if mine else word for word, mine in zip(words, own, strict=True)],
        textposition="outside",
        textfont={"color": ink, "size": 11.5},
        cliponaxis=False,
        hovertemplate="%{y}: %{text}<extra></extra>",
    )
    most = max([*values, 0.01])
    figure.update_layout(bargap=0.3, hovermode="closest", margin={"t": 0, "b": 0, "l": 4, "r": 4})
    figure.update_yaxes(autorange="reversed", rangemode="normal", showgrid=False, tickfont={"color": ink, "size": 12})
    figure.update_xaxes(visible=False, range=[0, most * 2.1])
    return figure
