"""The corridor from inputs to proposal, and the child processes with limits in which it is walked."""

from ignrun.planner.reader.bounded import propose_bounded as propose_bounded
from ignrun.planner.reader.corridor import propose as propose
from ignrun.planner.reader.resident import ResidentReader as ResidentReader
from ignrun.planner.reader.surveyed import survey_bounded as survey_bounded
