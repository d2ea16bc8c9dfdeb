"""The board of the weekly meeting: one topic a slide."""

from __future__ import annotations

from dashboard.boards import channels, decisions, handling, satisfaction
from dashboard.boards.declaration import Board, Row, Slide, Tile, Tiles
from dashboard.theme import Meaning
from dashboard.words import later

HEADLINES = Tiles(
    "headlines",
    (
        Tile("received"),
        Tile("resolved"),
        Tile("on_time_06", Meaning.ON_TIME),
        Tile("open"),
        Tile("overdue", Meaning.OVERDUE),
        Tile("due_soon_24h", Meaning.DUE_SOON),
    ),
)
SATISFACTION = Tiles("satisfaction", (Tile("satisfied_share"), Tile("mean_score_three"), Tile("response_rate")))
ONLINE = Tiles(
    "online",
    (
        Tile("online_share", title=later("Online / all received")),
        Tile("online_share_eligible", title=later("Online / procedures with online service")),
        Tile("online_payment_share", title=later("Paid online")),
        Tile("digitised_share", title=later("Digitised")),
    ),
)

SUMMARY = Slide(
    "summary",
    later("Summary"),
    (Row((HEADLINES,)), Row((handling.FLOW, handling.BACKLOG))),
    handling.SUMMARY_LEAD,
)
BACKLOG = Slide(
    "backlog",
    later("Backlog and overdue"),
    (Row((handling.OVERDUE_BY_UNIT, handling.AGES), (1.3, 1)),),
    handling.OVERDUE_LEAD,
)
RANKING = Slide("ranking", later("Ranking"), (Row((handling.RANKING,)),), handling.RANKING_LEAD)
CHANNELS = Slide(
    "channels",
    later("Intake channels"),
    (Row((ONLINE,)), Row((channels.ONLINE_BY_UNIT, channels.MIX_BY_MONTH), (1.3, 1))),
    channels.LEAD,
)
SATISFIED = Slide(
    "satisfaction",
    later("Satisfaction"),
    (Row((SATISFACTION,)), Row((satisfaction.BY_UNIT, satisfaction.COURSE), (1.3, 1))),
    satisfaction.LEAD,
)
TO_URGE = Slide("to-urge", later("Units to urge"), (Row((handling.TO_URGE,)),), handling.OVERDUE_LEAD)
DECISIONS = Slide("decisions", later("Matters to conclude on"), (Row((decisions.MATTERS_TABLE,)),), decisions.LEAD)

MEETING = Board(
    "meeting",
    later("Weekly meeting"),
    (SUMMARY, BACKLOG, RANKING, CHANNELS, SATISFIED, TO_URGE, DECISIONS),
)
