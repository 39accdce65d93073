"""`{% csrf_token %}` of every page: Django's token against foreign sites, and ours that makes a form count once."""

from django import template
from django.template import Context
from django.template.base import Parser, Token
from django.template.defaulttags import CsrfTokenNode
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from config import once

register = template.Library()


class FormTokens(CsrfTokenNode):
    """Both hidden fields."""

    def render(self, context: Context) -> SafeString:
        """Nothing where Django writes nothing."""
        theirs = super().render(context)
        user = getattr(context.get("request"), "user", None)
        ours = format_html('<input type="hidden" name="{}" value="{}">', once.FIELD, once.new_token(user and user.pk))
        return format_html("{}{}", theirs, ours) if theirs else mark_safe("")


@register.tag("csrf_token")
def form_tokens(parser: Parser, token: Token) -> FormTokens:
    """Every form that is posted has it, also those of the administration and of libraries."""
    return FormTokens()
