"""The tree of errors, grouped by what the caller should do.

IocError
├── ConfigurationError   the operator must change a setting; the message names it and says what to write
├── TransientError       the same call may succeed later (source down, database restarting)
├── RefusedInput         a file, page or record is not what it says; the message names file, row and field
└── BadQuestion          the caller asked something that has no answer (unknown metric, period upside down)
"""

from __future__ import annotations


class IocError(Exception):
    """Root of every error that this product raises on purpose; its text is fit to be shown to an operator."""


class ConfigurationError(IocError):
    """A setting is wrong or missing: nothing will work until the operator changes it."""


class TransientError(IocError):
    """Something outside failed for now: the caller may try again later, nothing was lost."""


class RefusedInput(IocError):  # noqa: N818 - named for what happened to the input
    """Input that is not what it claims to be; nothing of it was stored."""


class BadQuestion(IocError):  # noqa: N818 - named for what the caller did
    """A question without an answer; never answered with an empty frame that looks like 'no backlog'."""
