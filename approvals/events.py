"""Events for the apps above, sent inside the caller's transaction."""

from django.dispatch import Signal

# Argument: entry (approvals.DecisionEntry just appended), one call per row of the decision log.
log_appended = Signal()

# Argument: request (approvals.ApprovalRequest). Planned seats of it were just asked, so their people may see it now.
seats_asked = Signal()
