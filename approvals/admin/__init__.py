"""The admin of the authority matrix (drafts) and of the decision records (read only)."""

from approvals.admin import authority, record

__all__ = ["authority", "record"]
