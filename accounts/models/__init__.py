"""Who we deal with and who we are."""

from accounts.models.calendars import Calendar, CalendarDay, CalendarSpan
from accounts.models.customers import Account, AccountDomain, Contact, ExchangeRate, Subscription
from accounts.models.imports import ImportMapping, ImportProblem, ImportRun
from accounts.models.people import Role, RoleHolding, User
from accounts.models.signals import Signal

__all__ = [
    "Account",
    "AccountDomain",
    "Calendar",
    "CalendarDay",
    "CalendarSpan",
    "Contact",
    "ExchangeRate",
    "ImportMapping",
    "ImportProblem",
    "ImportRun",
    "Role",
    "RoleHolding",
    "Signal",
    "Subscription",
    "User",
]
