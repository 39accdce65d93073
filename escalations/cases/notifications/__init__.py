"""Notifications about a case: mail through the outbox and in-app notices, written in the caller's transaction."""

from escalations.cases.notifications.cases import (
    accepted,
    action_given,
    customer_update,
    due_moved,
    escalated,
    handed_off,
    nobody,
    opened,
    posted,
    refused,
    reopened,
    resolved,
)
from escalations.cases.notifications.common import case_url, moment_for, people_of, thread_id
from escalations.cases.notifications.files import files_held, files_released

__all__ = [
    "accepted",
    "action_given",
    "case_url",
    "customer_update",
    "due_moved",
    "escalated",
    "files_held",
    "files_released",
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
]
