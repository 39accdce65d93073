"""The admin: the authority matrix as drafts, and the record of decisions, which nobody edits."""

from approvals.admin import authority, record

__all__ = ["authority", "record"]
