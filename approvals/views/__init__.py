"""Pages of approvals. Reading is a GET and changes nothing; every verb is a POST."""

from approvals.views.decisions import (
    answer,
    brief,
    comment,
    confirm,
    decide,
    detail,
    inbox,
    question,
    recall,
    remind,
    undo,
    who,
)
from approvals.views.delegations import delegate, delegation_end, delegation_feed, delegations
from approvals.views.links import link, place_reply
from approvals.views.record import case_log, request_log
from approvals.views.terms import resubmit, terms

__all__ = [
    "answer",
    "brief",
    "case_log",
    "comment",
    "confirm",
    "decide",
    "delegate",
    "delegation_end",
    "delegation_feed",
    "delegations",
    "detail",
    "inbox",
    "link",
    "place_reply",
    "question",
    "recall",
    "remind",
    "request_log",
    "resubmit",
    "terms",
    "undo",
    "who",
]
