"""Events for the apps above, sent inside the caller's transaction."""

from django.dispatch import Signal

# Argument: mail (messaging.InboundMail just written, state waiting). A receiver that places the mail calls
# messaging.inbound.receive.claim().
mail_received = Signal()
