"""The API of approvals."""

from approvals.api.authority import AuthorityViewSet
from approvals.api.delegations import DelegationViewSet
from approvals.api.overrides import OverrideViewSet
from approvals.api.requests import ApprovalViewSet

router_entries = [
    ("approvals", ApprovalViewSet),
    ("authority", AuthorityViewSet),
    ("delegations", DelegationViewSet),
    ("overrides", OverrideViewSet),
]
