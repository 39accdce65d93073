"""The address that the configured mail service calls, protected by its secret."""

from anymail.webhooks.mailgun import MailgunInboundWebhookView
from anymail.webhooks.mailjet import MailjetInboundWebhookView
from anymail.webhooks.postmark import PostmarkInboundWebhookView
from anymail.webhooks.sendgrid import SendGridInboundWebhookView
from anymail.webhooks.sparkpost import SparkPostInboundWebhookView
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

SERVICES: dict[str, type[View]] = {
    "mailgun": MailgunInboundWebhookView,
    "mailjet": MailjetInboundWebhookView,
    "postmark": PostmarkInboundWebhookView,
    "sendgrid": SendGridInboundWebhookView,
    "sparkpost": SparkPostInboundWebhookView,
}


@csrf_exempt
@login_not_required
@require_http_methods(["HEAD", "POST"])
def deliver(request: HttpRequest, service: str) -> HttpResponseBase:
    """A mail service delivers a mail. Only the configured service may, and none while no secret is set, because Anymail
    would then accept mail from anybody."""
    if (
        service != settings.INBOUND_ESP
        or service not in SERVICES
        or not any(settings.ANYMAIL.get("WEBHOOK_SECRET", []))
    ):
        raise Http404
    return SERVICES[service].as_view()(request)
