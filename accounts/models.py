"""Accounts, people, calendars, signals and imports."""

from accounts.calendars.models import Calendar, CalendarDay, CalendarSpan
from accounts.customers.models import Account, AccountDomain, AccountWords, Contact, ExchangeRate, Subscription
from accounts.imports.models import ImportMapping, ImportProblem, ImportRun
from accounts.people.departures import Departure, MovedOn
from accounts.people.models import Role, RoleHolding, User, UserWords
from accounts.signals.models import Signal

__all__ = [
    "Account",
    "AccountDomain",
    "AccountWords",
    "Calendar",
    "CalendarDay",
    "CalendarSpan",
    "Contact",
    "Departure",
    "ExchangeRate",
    "ImportMapping",
    "ImportProblem",
    "ImportRun",
    "MovedOn",
    "Role",
    "RoleHolding",
    "Signal",
    "Subscription",
    "User",
    "UserWords",
]
