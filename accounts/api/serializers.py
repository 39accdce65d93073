"""Accounts and signals in the API. Every field is named here, so that none is published by accident."""

from decimal import Decimal

from rest_framework import serializers

from accounts.models import Account, Contact, Signal, User
from accounts.signals.record import RECEIVED_MAIL
from ledger.moments import ApiMoment


class PersonSerializer(serializers.ModelSerializer):
    """A colleague, with the fields that everybody may see."""

    class Meta:
        model = User
        fields = ["id", "name", "email"]


class AccountSerializer(serializers.ModelSerializer):
    """An account as read."""

    csm = PersonSerializer(read_only=True)
    ae = PersonSerializer(read_only=True)
    weighted_risk = serializers.DecimalField(max_digits=18, decimal_places=4, read_only=True)

    class Meta:
        model = Account
        fields = [
            *("id", "source", "external_id", "name", "kind", "status", "parent", "segment", "industry", "country"),
            *("region", "strategic", "currency", "arr", "weighted_risk", "renewal_date", "health", "health_parts"),
            *("health_outside", "health_computed", "csm", "ae", "created_at", "changed_at"),
        ]
        read_only_fields = fields


# The columns that the list reads.
ACCOUNT_COLUMNS = (
    *(each.name for each in Account._meta.concrete_fields if each.name in AccountSerializer.Meta.fields),
    *(f"{role}__{column}" for role in ("csm", "ae") for column in ("name", "email")),
)


class AccountWriteSerializer(serializers.Serializer):
    """An account as written: identified by source and external id."""

    source = serializers.SlugField(max_length=40)  # type: ignore[assignment]
    external_id = serializers.CharField(max_length=120)
    name = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(choices=Account.KINDS, required=False)
    status = serializers.ChoiceField(choices=Account.STATUSES, required=False)
    segment = serializers.CharField(max_length=60, required=False, allow_blank=True)
    industry = serializers.CharField(max_length=80, required=False, allow_blank=True)
    country = serializers.CharField(max_length=60, required=False, allow_blank=True)
    region = serializers.CharField(max_length=40, required=False, allow_blank=True)
    strategic = serializers.BooleanField(required=False)
    currency = serializers.CharField(max_length=3, required=False)
    arr = serializers.DecimalField(
        max_digits=14, decimal_places=2, min_value=Decimal(0), required=False, allow_null=True
    )
    renewal_date = serializers.DateField(required=False, allow_null=True)
    health = serializers.IntegerField(min_value=0, max_value=100, required=False, allow_null=True)
    csm_email = serializers.EmailField(required=False, help_text="An active user's address.")
    ae_email = serializers.EmailField(required=False, help_text="An active user's address.")


class ContactSerializer(serializers.ModelSerializer):
    """The customer's contact."""

    class Meta:
        model = Contact
        fields = ["id", "name", "email", "title"]


class PhraseSerializer(serializers.Serializer):
    """A flagged phrase and its place in the text."""

    kind = serializers.CharField()
    text = serializers.CharField()
    start = serializers.IntegerField()
    end = serializers.IntegerField()
    weight = serializers.FloatField()


class SignalSerializer(serializers.ModelSerializer):
    """A signal as read."""

    contact = ContactSerializer(read_only=True)
    phrases = PhraseSerializer(many=True, read_only=True)

    class Meta:
        model = Signal
        fields = [
            *(
                "id",
                "account",
                "contact",
                "kind",
                "at",
                "text",
                "source",
                "external_id",
                "sentiment",
                "tone",
                "phrases",
            ),
            *("amount", "currency", "with_concession", "recorded_at"),
        ]
        read_only_fields = fields


class SignalWriteSerializer(serializers.Serializer):
    """A signal as sent in."""

    account = serializers.IntegerField(help_text="Id of an account this user may see.")
    kind = serializers.ChoiceField(choices=Signal.KINDS)
    text = serializers.CharField(max_length=200_000)
    at = ApiMoment(required=False, help_text="When it happened; now when left out.")
    contact_email = serializers.EmailField(required=False, help_text="A contact of the account.")
    source = serializers.SlugField(max_length=40, default="api")  # type: ignore[assignment]
    external_id = serializers.CharField(max_length=255, required=False)
    amount = serializers.DecimalField(
        required=False, max_digits=14, decimal_places=2, min_value=Decimal("0.01"), help_text="Money asked for, if any."
    )
    currency = serializers.CharField(max_length=3, required=False)
    with_concession = serializers.BooleanField(required=False)

    def validate_source(self, source: str) -> str:
        """Refuse the source of received mail: a signal with the Message-ID of a mail would stand in its place."""
        if source == RECEIVED_MAIL:
            raise serializers.ValidationError(
                f"“{RECEIVED_MAIL}” is the source of mail that the desk receives. Enter the name of your system."
            )
        return source
