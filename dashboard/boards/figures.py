"""The kinds of chart that boards and pages are made of, as plotly figures: data in, figure out, no screen needed.

Colours come from the theme; every bar carries its value in words, so that nothing is told by colour alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from dashboard import numbers
from dashboard.boards.content import Look
from dashboard.theme import COLOURS, Meaning, layout
from warehouse.vocabulary import Language

PALE = {Meaning.NEUTRAL: ("#B9CFE8", "#2C4A70"), Meaning.OVERDUE: ("#F0C2BC", "#6B3A44")}
"""The quiet shade of a meaning on light and dark ground."""


def ink(look: Look) -> tuple[str, str, str]:
    """Return the colours of text, quiet text and lines on the ground of a look."""
    return ("#E8EDF6", "#9AA8C0", "#27364F") if look.dark else ("#14213A", "#5B6880", "#E1E7F0")


def base(look: Look, language: Language) -> go.Figure:
    """Return an empty figure in the style of the product."""
    figure = go.Figure(layout=layout(dark=look.dark, height=look.height))
    figure.update_layout(font={"size": look.type_size}, separators=",." if language == "vi" else ".,")
    figure.update_xaxes(tickfont={"size": look.type_size})
    figure.update_yaxes(tickfont={"size": look.type_size})
    return figure


def _legend(figure: go.Figure, look: Look) -> None:
    legend = {
        "orientation": "h",
        "yref": "container",
        "y": 1.0,
        "yanchor": "top",
        "x": 0,
        "xanchor": "left",
        "traceorder": "normal",
    }
    figure.update_layout(
        showlegend=True,
        legend={
            **legend,
            "traceorder": "normal",
            "itemclick": False,
            "itemdoubleclick": False,
            "font": {"size": look.type_size},
        },
        margin={"t": round(look.type_size * 2.4)},
    )


def _time_axis(figure: go.Figure, codes: Sequence[str]) -> None:
    by_month = bool(codes) and len(codes[0]) == 7
    form = "%m/%Y" if by_month else "%d/%m"
    figure.update_xaxes(type="date", tickformat=form, hoverformat="%m/%Y" if by_month else "%d/%m/%Y")
    if by_month:
        figure.update_xaxes(tickmode="array", tickvals=list(codes)[:: max(1, len(codes) // 4)], tickangle=0)


def percent_axis(figure: go.Figure, language: Language, low: float, high: float, *, axis: str = "y") -> None:
    """Write an axis of shares as percentages of the language."""
    step = next((step for step in (0.01, 0.02, 0.05, 0.1, 0.2, 0.25) if (high - low) / step <= 6), 0.5)
    ticks = [round(n * step, 4) for n in range(round(low / step), round(high / step) + 2)]
    texts = [numbers.percent(tick, language, 0) for tick in ticks]
    update = figure.update_yaxes if axis == "y" else figure.update_xaxes
    update(range=[low, high], tickmode="array", tickvals=ticks, ticktext=texts, tickformat=None, rangemode="normal")


@dataclass(frozen=True, slots=True)
class Line:
    """One series along time; unknown values are gaps."""

    name: str
    values: Sequence[float | None]
    meaning: Meaning = Meaning.NEUTRAL
    colour: str = ""
    dash: str = "solid"
    fill: bool = False

    @property
    def paint(self) -> str:
        """The colour of the line."""
        return self.colour or COLOURS[self.meaning]


def lines(look: Look, language: Language, codes: Sequence[str], series: Sequence[Line]) -> go.Figure:
    """Lines of counts along days or months, named in a legend."""
    figure = base(look, language)
    for line in series:
        figure.add_scatter(
            x=list(codes), y=list(line.values), name=line.name, mode="lines+markers" if len(codes) < 15 else "lines",
            line={"color": line.paint, "width": thick(look), "dash": line.dash}, marker={"size": 7},
            fill="tozeroy" if line.fill else None, fillcolor=translucent(line.paint), hovertemplate="%{y:,.0f}",
        )  # fmt: skip
    _legend(figure, look)
    _time_axis(figure, codes)
    return figure


def share_lines(
    look: Look, language: Language, codes: Sequence[str], series: Sequence[Line], hover: Sequence[Sequence[str]]
) -> go.Figure:
    """Lines of shares along time; `hover` is the text of every point."""
    figure = base(look, language)
    for line, texts in zip(series, hover, strict=True):
        figure.add_scatter(
            x=list(codes), y=list(line.values), name=line.name, mode="lines+markers", customdata=list(texts),
            line={"color": line.paint, "width": thick(look), "dash": line.dash}, marker={"size": 8},
            hovertemplate="%{customdata}",
        )  # fmt: skip
    _legend(figure, look)
    _time_axis(figure, codes)
    found = [value for line in series for value in line.values if value is not None]
    percent_axis(figure, language, 0, min(1.0, max(found, default=0.9) * 1.15 + 0.02))
    return figure


def columns(look: Look, language: Language, codes: Sequence[str], series: Sequence[Line]) -> go.Figure:
    """Columns of counts side by side along time."""
    figure = base(look, language)
    for line in series:
        marker = {"color": line.paint, "cornerradius": 2}
        figure.add_bar(x=list(codes), y=list(line.values), name=line.name, marker=marker, hovertemplate="%{y:,.0f}")
    figure.update_layout(barmode="group", bargap=0.25)
    _legend(figure, look)
    _time_axis(figure, codes)
    return figure


def stacked_shares(
    look: Look, language: Language, codes: Sequence[str], series: Sequence[Line], hover: Sequence[Sequence[str]]
) -> go.Figure:
    """Columns along time that all reach 100 %; `hover` is the text of every part."""
    figure = base(look, language)
    for line, texts in zip(series, hover, strict=True):
        figure.add_bar(
            x=list(codes), y=list(line.values), name=line.name, marker={"color": line.paint, "line": {"width": 0}},
            customdata=list(texts), hovertemplate="%{customdata}",
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.18)
    _legend(figure, look)
    _time_axis(figure, codes)
    percent_axis(figure, language, 0, 1)
    return figure


@dataclass(frozen=True, slots=True)
class Bar:
    """One horizontal bar with the words at its end; a loud one asks for a decision, a grey one stands on little."""

    name: str
    value: float | None
    text: str
    hover: str = ""
    loud: bool = True
    grey: bool = False


def ranked_bars(
    look: Look,
    language: Language,
    bars: Sequence[Bar],
    *,
    meaning: Meaning = Meaning.NEUTRAL,
    target: float | None = None,
    target_text: str = "",
    top: float | None = None,
) -> go.Figure:
    """Horizontal bars, first on top, each with its text at the right; `target` is a line, `top` the end of the axis."""
    figure = base(look, language)
    pale, grey = PALE.get(meaning, PALE[Meaning.NEUTRAL])[look.dark], "#3A475E" if look.dark else "#CBD3DF"
    colours = [grey if bar.grey else COLOURS[meaning] if bar.loud else pale for bar in bars]
    figure.add_bar(
        y=[bar.name for bar in bars], x=[bar.value or 0 for bar in bars], orientation="h",
        marker={"color": colours, "cornerradius": 2},
        customdata=[bar.hover or bar.text for bar in bars], hovertemplate="%{customdata}<extra></extra>",
    )  # fmt: skip
    longest = max([bar.value or 0 for bar in bars] + [target or 0], default=0) or 1
    figure.update_xaxes(visible=False, range=[0, top or longest])
    _bar_rows(figure, look, len(bars))
    _row_texts(figure, look, [(bar.name, bar.text, bar.grey) for bar in bars])
    if target is not None:
        _target_line(figure, look, target, target_text)
    return figure


def _bar_rows(figure: go.Figure, look: Look, count: int) -> None:
    figure.update_yaxes(
        autorange="reversed", rangemode="normal", showgrid=False, ticksuffix="  ", tickmode="linear", tickformat=None,
        tickfont={"size": look.type_size, "color": ink(look)[0]}, type="category",
    )  # fmt: skip
    figure.update_layout(bargap=0.32 if count < 12 else 0.26, hovermode="closest", margin={"t": 4, "b": 4, "l": 4})


def _target_line(figure: go.Figure, look: Look, target: float, text: str) -> None:
    colour = ink(look)[0]
    figure.add_vline(x=target, line={"color": colour, "width": 2, "dash": "dot"})
    figure.add_annotation(
        x=target, y=1, yref="paper", text=text, showarrow=False, xanchor="center", yanchor="bottom",
        font={"size": look.type_size, "color": colour},
    )  # fmt: skip
    figure.update_layout(margin={"t": round(look.type_size * 2)})


@dataclass(frozen=True, slots=True)
class Estimate:
    """A share with its interval; a grey one stands on few answers."""

    name: str
    value: float
    low: float
    high: float
    text: str
    hover: str = ""
    grey: bool = False


def intervals(
    look: Look, language: Language, estimates: Sequence[Estimate], whole: float | None, whole_text: str
) -> go.Figure:
    """Points with their intervals, one a row, first on top; the dotted line is the value of all together."""
    figure = base(look, language)
    quiet = "#5C6B85" if look.dark else "#B4BECC"
    for grey in (False, True):
        part = [estimate for estimate in estimates if estimate.grey is grey]
        figure.add_scatter(
            y=[estimate.name for estimate in part], x=[estimate.value for estimate in part], mode="markers",
            marker={"size": look.type_size * 0.85, "color": quiet if grey else COLOURS[Meaning.NEUTRAL],
                    "symbol": "circle-open" if grey else "circle", "line": {"width": 2 if grey else 0}},
            error_x={"type": "data", "symmetric": False, "thickness": 2.5, "width": 4,
                     "color": quiet if grey else COLOURS[Meaning.NEUTRAL],
                     "array": [estimate.high - estimate.value for estimate in part],
                     "arrayminus": [estimate.value - estimate.low for estimate in part]},
            customdata=[estimate.hover or estimate.text for estimate in part],
            hovertemplate="%{customdata}<extra></extra>",
        )  # fmt: skip
    lowest = min((estimate.low for estimate in estimates), default=0.0)
    start = max(0.0, int(lowest * 20) / 20 - 0.02)
    percent_axis(figure, language, start, 1.0 + (1 - start) * 0.02, axis="x")
    figure.update_xaxes(showgrid=True)
    _bar_rows(figure, look, len(estimates))
    order = [estimate.name for estimate in estimates]
    figure.update_yaxes(categoryorder="array", categoryarray=order, showgrid=True, griddash="dot")
    _row_texts(figure, look, [(estimate.name, estimate.text, estimate.grey) for estimate in estimates])
    figure.update_layout(margin={"b": round(look.type_size * 1.8)})
    if whole is not None:
        _target_line(figure, look, whole, whole_text)
    return figure


def _row_texts(figure: go.Figure, look: Look, rows: Sequence[tuple[str, str, bool]]) -> None:
    """Write a text to the right of every row, in one column, so that lines across the rows never cross a number."""
    for name, text, grey in rows:
        figure.add_annotation(
            x=1, xref="paper", y=name, text=text, showarrow=False, xanchor="left", align="left",
            font={"size": look.type_size, "color": ink(look)[1 if grey else 0]}, xshift=8,
        )  # fmt: skip
    longest = max((len(text) for _name, text, _grey in rows), default=0)
    figure.update_layout(margin={"r": round(longest * look.type_size * 0.6) + 18})


def band(
    look: Look,
    language: Language,
    codes: Sequence[str],
    values: Sequence[float | None],
    ends: Sequence[tuple[float, float] | None],
    *,
    names: tuple[str, str],
    hover: Sequence[str],
) -> go.Figure:
    """A line of shares with the band of its interval; months without answers are gaps."""
    figure = base(look, language)
    colour = COLOURS[Meaning.NEUTRAL]
    for start, stop in runs([end is not None for end in ends]):
        part = [end for end in ends[start:stop] if end is not None]
        xs = list(codes[start:stop])
        figure.add_scatter(
            x=xs + xs[::-1], y=[end[1] for end in part] + [end[0] for end in part][::-1], fill="toself",
            fillcolor=translucent(colour, 0.22), line={"width": 0}, hoverinfo="skip", name=names[1],
            showlegend=start == next(iter(runs([end is not None for end in ends])))[0], mode="lines",
        )  # fmt: skip
    figure.add_scatter(
        x=list(codes), y=list(values), name=names[0], mode="lines+markers", marker={"size": 8},
        line={"color": colour, "width": thick(look)}, customdata=list(hover), hovertemplate="%{customdata}",
    )  # fmt: skip
    _legend(figure, look)
    _time_axis(figure, codes)
    lowest = min((end[0] for end in ends if end), default=0.0)
    percent_axis(figure, language, max(0.0, int(lowest * 20) / 20 - 0.05), 1.0)
    return figure


def runs(there: Sequence[bool]) -> list[tuple[int, int]]:
    """Return start and stop of each stretch of true values."""
    found: list[tuple[int, int]] = []
    for place, is_there in enumerate(there):
        if is_there and found and found[-1][1] == place:
            found[-1] = (found[-1][0], place + 1)
        elif is_there:
            found.append((place, place + 1))
    return found


ROOM = 0.1
"""A part of one bar that is larger has room for its words."""


def one_bar(look: Look, language: Language, parts: Mapping[str, tuple[float, str, str]]) -> go.Figure:
    """One bar of shares of a whole: name to (value, colour, text); a part too small for its text has it on hover."""
    figure = base(look, language)
    whole = sum(value for value, _colour, _text in parts.values()) or 1
    for name, (value, colour, text) in parts.items():
        words = f"<b>{name}</b><br>{text}"
        figure.add_bar(
            y=[""], x=[value], orientation="h", name=name, marker={"color": colour, "line": {"width": 0}},
            text=words if value / whole > ROOM else "", textposition="inside", insidetextanchor="start", textangle=0,
            textfont={"color": "#FFFFFF", "size": look.type_size},
            hovertemplate=f"{name}: {text}<extra></extra>",
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0, margin={"l": 0, "r": 0, "t": 0, "b": 0}, hovermode="closest")
    figure.update_xaxes(visible=False, range=[0, whole])
    figure.update_yaxes(visible=False)
    return figure


def thick(look: Look) -> float:
    """Return the width of a line that goes with the type of a look."""
    return max(2.5, look.type_size / 5)


def translucent(colour: str, alpha: float = 0.14) -> str:
    """Return '#RRGGBB' as a see-through colour of CSS."""
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{alpha})"
