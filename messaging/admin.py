"""The admin shows sent and received messages; it changes neither."""

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from messaging.models import Delivery, InboundMail, Message
from messaging.outbox.rules.secrets import masked


class ReadOnly:
    """Read only; people who may view the model see every field."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Never."""
        return False


class DeliveryInline(ReadOnly, admin.TabularInline):
    """The attempts below their message."""

    model = Delivery
    extra = 0


@admin.register(Message)
class MessageAdmin(ReadOnly, admin.ModelAdmin):
    """Messages and their attempts."""

    list_display = ["subject", "address", "kind", "state", "attempts", "created_at", "sent_at"]
    list_filter = ["state", "channel", "kind"]
    search_fields = ["subject", "address", "case_key", "key"]
    date_hierarchy = "created_at"
    inlines = [DeliveryInline]
    exclude = ["text", "html", "reply_to"]
    readonly_fields = ["words", "answers_go_to"]

    def words(self, message: Message) -> str:
        """The text, without links and addresses by which its person decides."""
        return masked(message.text)

    def answers_go_to(self, message: Message) -> str:
        """The reply address."""
        return masked(message.reply_to)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnly, admin.ModelAdmin):
    """All attempts."""

    list_display = ["at", "message", "ok", "detail"]
    list_filter = ["ok"]
    list_select_related = ["message"]
    search_fields = ["detail", "message__address"]


@admin.register(InboundMail)
class InboundMailAdmin(ReadOnly, admin.ModelAdmin):
    """Received mail with its state."""

    list_display = ["subject", "sender", "state", "automatic", "note", "received_at"]
    list_filter = ["state", "automatic"]
    search_fields = ["subject", "sender", "message_id"]
    date_hierarchy = "received_at"
    exclude = ["text", "visible_text", "recipients"]
    readonly_fields = ["words", "sent_to"]

    def words(self, mail: InboundMail) -> str:
        """The text, without links and addresses by which its person decides."""
        return masked(mail.text)

    def sent_to(self, mail: InboundMail) -> str:
        """Who it was addressed to."""
        return masked(", ".join(map(str, mail.recipients)))
