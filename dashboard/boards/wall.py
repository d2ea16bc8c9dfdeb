"""The scenes of the wall: fewer things, larger, one after the other; settings name which ones and how long."""

from __future__ import annotations

from dashboard.boards import channels, handling, meeting, satisfaction
from dashboard.boards.declaration import Board, Row, Slide
from dashboard.words import later

SUMMARY = Slide(
    "summary", later("Summary"), (Row((meeting.HEADLINES,)), Row((handling.TO_URGE,))), handling.SUMMARY_LEAD
)
COURSE = Slide("course", later("Course"), (Row((handling.FLOW, handling.BACKLOG)),), handling.SUMMARY_LEAD)
OVERDUE = Slide(
    "overdue",
    later("Overdue"),
    (Row((handling.OVERDUE_BY_UNIT, handling.AGES), (1.3, 1)),),
    handling.OVERDUE_LEAD,
)
RANKING = Slide("ranking", later("Ranking"), (Row((handling.RANKING,)),), handling.RANKING_LEAD)
CHANNELS = Slide(
    "channels",
    later("Intake channels"),
    (Row((channels.MIX,), weight=0.36), Row((channels.ONLINE_BY_UNIT, channels.ELECTRONIC), (1.15, 1))),
    channels.LEAD,
)
SATISFIED = Slide(
    "satisfaction",
    later("Satisfaction"),
    (Row((meeting.SATISFACTION,)), Row((satisfaction.BY_UNIT,))),
    satisfaction.LEAD,
)

WALL = Board("wall", later("Wall"), (SUMMARY, OVERDUE, COURSE, RANKING, CHANNELS, SATISFIED))
