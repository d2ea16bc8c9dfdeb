"""docs/metrics.md, written from the declarations: `python -m metrics.document` makes it anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from metrics import document_parts
from metrics.definitions import METRICS, Direction, Kind, Metric, Sum
from metrics.dimensions import DIMENSIONS, OVERDUE_AGES
from metrics.grouping import RESTRICTED, dimensions_of
from metrics.period import ACCEPTED
from metrics.ranking import DEFAULT

FILE = Path(__file__).resolve().parent.parent / "docs" / "metrics.md"

_HEAD = """# Metrics

Written by `python -m metrics.document` from the declarations in `metrics/declarations/`; a test fails when it is old.

Every figure comes from one function, `metrics.measure`, and carries numerator, denominator and value. For a period
[a, b) and the instant of the question `as_of`, *t* is the earlier of b and `as_of`:

- a **flow** counts the events from a up to, not including, t; a **stock** counts what is open at t: received before t
  and not closed before t. By day or month, flows are those of each bucket and stocks those at its end.
- Events at or after `as_of` do not exist. `ioc` refuses an `as_of` that has not come yet: a date that a source wrote
  ahead would count as something that happened (`metrics.question.refuse_future`).
- Unknown is missing, never 0; a ratio without denominator has no value.
- Ratios are Σ numerator / Σ denominator, never averaged. Stocks are never summed over time.
- A dossier is received when it has an instant of receipt. It has a result when its status is finished, returned or
  unknown; it is closed without result when not accepted, withdrawn or stopped.
- An online dossier waits for acceptance until it is received or refused; office time is that of the unit that handles
  it (`office.hours`, `office.own_hours`). What the source does not say of a dossier keeps it out of a ratio's
  denominator: a share of unknown things is no share.
- A dossier whose status says closed but which has no closing time is in no stock and in no flow after its receipt;
  *balance* shows it. Status is that of the last reading: `waiting` at an earlier instant is an estimate.
- Dates are compared on the civil clock of the setting `timezone`; instants as instants.
- An answer of a survey belongs to the unit that it was given to; other dimensions are those of the dossier it judges.
"""


def document() -> str:
    """Return the text of docs/metrics.md."""
    parts = [_HEAD, "## Metrics", *(_section(metric) for metric in METRICS.values())]
    parts += [
        "## Dimensions and filters",
        _dimensions(),
        "## Periods",
        f"Accepted: {ACCEPTED}.",
        "## Ranking",
        _ranking(),
        document_parts.compared(),
        "## Answers by question and score",
        document_parts.aspects(),
        "## Form II.06",
        document_parts.form06(),
        "## Targets",
        document_parts.targets(),
        "## Index 766 (estimate)",
        document_parts.score766(),
        "## Corrections",
        document_parts.corrections(),
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def declarations() -> list[dict[str, Any]]:
    """Return every declaration as a row of plain values, for lists outside the screens."""
    return [
        {
            "name": metric.name,
            **{f"{part}_{language}": getattr(getattr(metric, part), language)
               for part in ("label", "short", "definition") for language in ("vi", "en")},
            "kind": metric.kind.value,
            "unit": metric.unit.value,
            "direction": metric.direction.value,
            "minimum": metric.minimum,
            "legal_basis": metric.legal_basis,
            "numerator": _sum(metric.numerator),
            "denominator": _sum(metric.denominator),
            "dimensions": list(dimensions_of(metric.name)),
        }
        for metric in METRICS.values()
    ]  # fmt: skip


def _section(metric: Metric) -> str:
    facts = [f"*{metric.kind.value}*", metric.unit.value]
    if metric.direction is not Direction.NONE:
        facts.append(metric.direction.value)
    if metric.minimum:
        facts.append(f"uncertain under a denominator of {metric.minimum}")
    lines = [
        f"### `{metric.name}`: {metric.label.vi} · {metric.label.en}",
        f"**{metric.short.vi} · {metric.short.en}**\n\n{metric.definition.vi}\n\n{metric.definition.en}",
        f"{'; '.join(facts)}. {_formula(metric)}",
    ]
    if metric.legal_basis:
        lines.append(f"Legal basis: {metric.legal_basis}.")
    return "\n\n".join(lines)


def _formula(metric: Metric) -> str:
    if metric.kind is Kind.DISTRIBUTION:
        return f"Counter: `{_sum(metric.numerator)}`; the denominator is the number of dossiers, `timed`."
    if not metric.denominator:
        return f"Counters: `{_sum(metric.numerator)}`."
    return f"Counters: `({_sum(metric.numerator)}) / ({_sum(metric.denominator)})`."


def _sum(terms: Sum) -> str:
    words = [f"{'+' if sign > 0 else '−'} {name}" for sign, name in terms]
    return " ".join(words).removeprefix("+ ")


def _dimensions() -> str:
    rows = ["| name | codes |", "|---|---|"]
    for dimension in DIMENSIONS.values():
        codes = ", ".join(str(term.value) for term in dimension.vocabulary or ())
        if dimension.name == "overdue_age":
            codes = ", ".join(OVERDUE_AGES) + " whole days late; only of `overdue`, at one instant"
        elif dimension.name in RESTRICTED:
            codes = f"codes of the data; only of {RESTRICTED[dimension.name].of}"
        if dimension.is_time:
            codes = "texts that name a period; no filter"
        rows.append(f"| `{dimension.name}` | {codes or 'codes of the data'} |")
    return "\n".join(rows)


def _ranking() -> str:
    rows = [
        f"Method version {DEFAULT.version} (`metrics/ranking.toml`). Units with `{DEFAULT.volume}` under"
        f" {DEFAULT.minimum_volume} are listed without a rank; units of one kind are ranked among their own; equal"
        " scores share a rank and the next rank follows. The previous rank is that of the period before by the same"
        " method.",
        "| part | weight | points |\n|---|---|---|",
    ]
    table = [
        f"| `{part.metric}` | {part.weight:g} | weight × {'(1 − value)' if part.lower_is_better else 'value'} |"
        for part in DEFAULT.parts
    ]
    note = "A part with nothing to measure is left out and the weights of the others are scaled to 100."
    return "\n\n".join([rows[0], "\n".join([rows[1], *table]), note])


if __name__ == "__main__":
    FILE.write_text(document(), encoding="utf-8")
