"""Who is told what about a case: mail through the outbox and in-app notices, written in the caller's transaction."""

from escalations.notifications.cases import (
    accepted,
    action_given,
    customer_update,
    escalated,
    handed_off,
    nobody,
    opened,
    posted,
    refused,
    reopened,
    resolved,
)
from escalations.notifications.common import case_url, local, people_of, thread_id
from escalations.notifications.standing import Told

__all__ = [
    "Told",
    "accepted",
    "action_given",
    "case_url",
    "customer_update",
    "escalated",
    "handed_off",
    "local",
    "nobody",
    "opened",
    "people_of",
    "posted",
    "refused",
    "reopened",
    "resolved",
    "thread_id",
]
