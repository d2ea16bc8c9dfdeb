"""Sections of docs/metrics.md that tell more than one metric: forms, answers, targets, 766, corrections."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from metrics import closing
from metrics.aspects import GOOD, MARKS, MINIMUM, QUESTIONS
from metrics.corrections import CORRECTABLE
from metrics.form06 import IDENTITIES, LEGAL_BASIS, NUMBERS, REMAINDERS
from metrics.method766 import ESTIMATE, EVIDENCE, METHOD, NOT_ENOUGH, Part
from metrics.ranking import COMPARED
from metrics.target_file import DEFAULT_FILE, read_targets
from metrics.targets import ATTAINMENT
from warehouse.vocabulary import LABELS, Label, ReportItem, SurveyScale


def form06() -> str:
    """The columns, the remainders and the identities of form II.06."""
    columns = [f"| ({number}) | `{item}` | {_both(LABELS[ReportItem, item])} |" for item, number in NUMBERS.items()]
    rest = [f"| – | `{item}` | {_both(label)} |" for item, label in REMAINDERS.items()]
    identities = [
        f"| {identity.formula} | {', '.join(f'`{item}`' for item in identity.remainders)} |" for identity in IDENTITIES
    ]
    return "\n\n".join(
        [
            f"{LEGAL_BASIS}; `metrics.form06`, `ioc form06`, by field or by unit, for any period. Dossiers for which"
            " the form has no column stand in its totals and in the figures without a number; they are never counted as"
            " on time or in time. Column (5) is in person and by post.",
            _table(("column", "item", "words"), [*columns, *rest]),
            "Where an identity does not hold, the finding names both sides, what these dossiers explain of the gap, and"
            " the difference that nothing explains:",
            _table(("identity", "explained by"), identities),
            "Besides, each total = the sum of its rows, and (6) = (11) of the period before as that was told: recorded"
            " when it had ended (see Corrections), and reported by the units, in the total and by unit. `ioc form06`"
            " says with what (6) was compared, or that nothing was told.",
        ]
    )


def targets() -> str:
    """How a target is found and judged, and the starting ones."""
    rows = [
        f"| `{t.metric}` | {t.applies_to} | {t.valid_from} | {t.value:g} | {t.legal_basis or '–'} | {t.note or '–'} |"
        for t in read_targets(DEFAULT_FILE)
    ]
    words = ", ".join(f"`{word}` ({_both(label)})" for word, label in ATTAINMENT.items())
    return "\n\n".join(
        [
            "A target of a unit goes before that of its kind; of several the newest `valid_from` not later than the day"
            f" holds. By the direction of its metric a value is {words}; the distance is above 0 where it is better."
            " `ioc targets load FILE` stores the [[targets]] of a TOML file, `ioc targets load default` the"
            " starting ones of `metrics/targets.toml`:",
            _table(("metric", "applies to", "valid from", "value", "legal basis", "note"), rows),
        ]
    )


def score766() -> str:
    """The method of the estimate: bands, groups, parts."""
    bands = [f"| ≥ {band.low:g} | {_both(band.label)} | `{band.colour}` |" for band in METHOD.bands]
    groups = [f"| `{group.code}` | {_both(group.label)} | {group.maximum:g} |" for group in METHOD.groups]
    marks = "; ".join(f"{mark}: {label.en}" for mark, label in EVIDENCE.items())
    return "\n\n".join(
        [
            f"Method version {METHOD.version} of {METHOD.dated} (`metrics/index766.toml`), labelled"
            f" “{ESTIMATE.vi}”. Official scores are imported (`external_score`) and shown as they are, ours beside"
            " them. The sum is of the parts that have points, with the sum of their maxima, and is never scaled to 100:"
            " it has no class. A part in which nothing occurred has no points and no maximum.",
            _table(("official score", "class", "colour"), bands),
            _table(("group", "words", "maximum"), groups),
            f"Evidence: {marks}. “{NOT_ENOUGH.vi}” where no metric is named.",
            _table(("part", "words", "maximum", "metric", "rule", "evidence"), map(_part, METHOD.parts)),
        ]
    )


def _part(part: Part) -> str:
    maximum = "–" if part.maximum is None else f"{part.maximum:g}"
    words = _both(part.label)
    if part.metric is None:
        why = part.missing.en if part.missing else ""
        return f"| {part.number} | {words} | {maximum} | – | {why} | {part.evidence} |"
    rule = part.rule.en + (f". {part.note.en}" if part.note else "")
    return f"| {part.number} | {words} | {maximum} | `{part.metric}` | {rule} | {part.evidence} |"


def corrections() -> str:
    """What is recorded at the end of periods, when, and what is told of changes."""
    settled, wait = (_days(span) for span in (closing.SETTLED_AFTER, closing.LONGEST_WAIT))
    return "\n\n".join(
        [
            "A back-dated change at the source restates history: every figure is computed from the dossiers as they are"
            " now. What the figures of a period were when they were first told is recorded once, by unit, for months,"
            f" quarters, years and statutory periods, {closing.MONTHS_BACK} months back: {settled} after the end, when"
            f" every living source has been read since (at most {wait} later). The worker does it every hour, or"
            " `ioc figures close`.",
            f"Recorded counters: {_codes(closing.RECORDED)}. A period that was recorded by an older version knows only"
            f" {_codes(closing.FIRST_RECORDED)}. Not recorded, as they differ without any correction (last read status,"
            f" office calendar): {_codes(sorted(closing.NOT_RECORDED))}.",
            f"Metrics that can be corrected: {_codes(CORRECTABLE)}. `ioc figures corrections PERIOD` tells which are"
            " other ones now, with the old value, the new one and the difference (ADR 7);"
            " `metrics.corrections.corrected(connection, answer, clock=…, period=…, as_of=…, scope=…, filters=…)` tells"
            " of an answer of `measure`, by unit or in all, which figures were others: old and new value with their"
            " fractions, and when the old ones were recorded.",
        ]
    )


def aspects() -> str:
    """What is told of the answers by question and by score."""
    rows = [
        f"| `{scale}` | {_both(LABELS[SurveyScale, scale])} | {marks.low} to {marks.high} |"
        f" {_both(GOOD[marks.counts])}: {marks.good} and more |"
        for scale, marks in MARKS.items()
    ]
    questions = "; ".join(f"`{key}` {_both(label)}" for key, label in QUESTIONS.items())
    return "\n\n".join(
        [
            "`metrics.aspects.satisfaction_by_question` tells of each scale and question how many answers were good on"
            " that scale, of how many, the share with its Wilson interval, the mean and how many gave each mark;"
            " `score_distribution` how many answers gave each score. Both take period, as_of, scope, filters and groups"
            f" as `measure` does. A share of fewer than {MINIMUM} answers is uncertain. Scales are never mixed; marks"
            " that a scale does not know are counted apart.",
            _table(("scale", "words", "marks", "the share counts"), rows),
            "Questions are keys of `survey_answer.aspects`, as the mapping names them; a number is shown as “Câu 3”,"
            f" and these have words (TT 01/2018/TT-VPCP, Điều 13–15): {questions}.",
        ]
    )


def compared() -> str:
    """With what a previous rank compares a unit."""
    words = "; ".join(f"`{word}`: {label.en.lower()}" for word, label in COMPARED.items())
    return (
        "Across a change of units (July 2025) the previous rank of a merged unit is that of the total of its"
        " predecessors, by `unit_successor` (`ioc units successors FILE`). A unit that got parts of another one, or"
        f" whose code named another unit, has none. Column `compared`: {words}."
    )


def _days(span: timedelta) -> str:
    return "a day" if span.days == 1 else f"{span.days} days"


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _both(label: Label) -> str:
    return f"{label.vi} · {label.en}"


def _table(heads: tuple[str, ...], rows: Iterable[str]) -> str:
    return "\n".join([f"| {' | '.join(heads)} |", f"|{'---|' * len(heads)}", *rows])


__all__ = ["aspects", "compared", "corrections", "form06", "score766", "targets"]
