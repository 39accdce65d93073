"""The admin of people, customers and calendars."""

from accounts.admin import calendars, customers, people, records

__all__ = ["calendars", "customers", "people", "records"]
