"""REST API of cases: the same verbs, rights and errors as the browser."""

from escalations.api.views import EscalationViewSet

router_entries = [("escalations", EscalationViewSet)]

__all__ = ["EscalationViewSet", "router_entries"]
