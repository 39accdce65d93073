"""Notifications about a case: mail through the outbox and in-app notices, written in the caller's transaction."""

from escalations.cases.notifications.cases import (
    accepted,
    action_given,
    customer_update,
    customer_wrote,
    due_moved,
    escalated,
    handed_off,
    nobody,
    opened,
    posted,
    refused,
    reopened,
    resolved,
    wrote_without_case,
)
from escalations.cases.notifications.common import case_url, moment_for, people_of, thread_id

__all__ = [
    "accepted",
    "action_given",
    "case_url",
    "customer_update",
    "customer_wrote",
    "due_moved",
    "escalated",
    "handed_off",
    "moment_for",
    "nobody",
    "opened",
    "people_of",
    "posted",
    "refused",
    "reopened",
    "resolved",
    "thread_id",
    "wrote_without_case",
]
