"""Notifications about a case: mail through the outbox and in-app notices, written in the caller's transaction."""

from escalations.cases.notifications.cases import (
    accepted,
    action_given,
    commitment_given,
    customer_update,
    departed,
    due_moved,
    escalated,
    handed_off,
    left,
    nobody,
    opened,
    posted,
    refused,
    reopened,
    resolved,
    review_given,
)
from escalations.cases.notifications.common import case_url, moment_for, people_of, thread_id

__all__ = [
    "accepted",
    "action_given",
    "case_url",
    "commitment_given",
    "customer_update",
    "departed",
    "due_moved",
    "escalated",
    "handed_off",
    "left",
    "moment_for",
    "nobody",
    "opened",
    "people_of",
    "posted",
    "refused",
    "reopened",
    "resolved",
    "review_given",
    "thread_id",
]
