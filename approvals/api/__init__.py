"""Approvals for machines."""

from approvals.api.authority import AuthorityViewSet
from approvals.api.requests import ApprovalViewSet

router_entries = [("approvals", ApprovalViewSet), ("authority", AuthorityViewSet)]
