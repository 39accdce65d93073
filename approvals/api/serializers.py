"""Bodies of the verbs beside the decision itself."""

from typing import ClassVar, TypedDict, Unpack

from rest_framework import serializers

from accounts.models import User
from approvals.models import Delegation, Seat


class Options(TypedDict, total=False):
    """What else a field that names a person may say."""

    required: bool
    allow_null: bool
    default: User | None
    help_text: str


class PersonField(serializers.SlugRelatedField):
    """Somebody active, by e-mail address."""

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(slug_field="email", queryset=User.objects.filter(is_active=True), **options)

    def to_internal_value(self, data: object) -> User:
        """Nobody's address holds what no database keeps."""
        if "\0" in str(data):
            self.fail("does_not_exist", slug_name="email", value="…")
        found: User = super().to_internal_value(data)
        return found


class SeatSerializer(serializers.ModelSerializer):
    """One seat: who is or was asked in which role, and what was said. `number` is the `seat` of a decision."""

    person = serializers.EmailField(source="person.email", read_only=True)
    role = serializers.CharField(source="role.slug", read_only=True)
    said_by = serializers.EmailField(source="said_by.email", default=None, read_only=True)
    stands_for = serializers.EmailField(source="stands_for.email", default=None, read_only=True)

    class Meta:
        model = Seat
        fields = [
            *(
                "number",
                "stage",
                "group",
                "part",
                "authority",
                "quorum",
                "role",
                "person",
                "stands_for",
                "limit",
                "state",
            ),
            *("verdict", "said_by"),
            *("reason", "conditions", "asked_at", "ended_at", "reminded"),
        ]
        read_only_fields = fields


class DelegateSerializer(serializers.Serializer):
    """Put one request into somebody else's hands."""

    to = PersonField()
    reason = serializers.CharField(max_length=4000)
    version = serializers.IntegerField(min_value=1, required=False)


class TermsSerializer(serializers.Serializer):
    """New terms; what is left out stays. `version` is the version of the request that was read."""

    version = serializers.IntegerField(min_value=1)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    terms = serializers.DictField(required=False)
    ask = serializers.CharField(max_length=1000, required=False)
    reason = serializers.CharField(max_length=4000)


class ResubmitSerializer(serializers.Serializer):
    """A recalled request asked again; what is left out stays."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    terms = serializers.DictField(required=False)
    ask = serializers.CharField(max_length=1000, required=False)
    recommendation = serializers.CharField(max_length=8000, required=False)
    deadline = serializers.DateTimeField(
        required=False, help_text="Left out: as the decision clock of the case; without a case, as before."
    )
    why_later = serializers.CharField(
        max_length=300, required=False, help_text="Why the deadline may be later than the decision clock of the case."
    )


class DelegationSerializer(serializers.ModelSerializer):
    """Who stands in for whom, from when to when (half-open), for what."""

    user = serializers.EmailField(source="user.email", read_only=True)
    to = PersonField()

    class Meta:
        model = Delegation
        fields = [
            *("id", "user", "to", "starts_at", "ends_at", "concessions", "up_to_usd", "note", "source"),
            *("created_at", "ended_at"),
        ]
        read_only_fields = ["id", "source", "created_at", "ended_at"]
        validators: ClassVar[list[object]] = []

    concessions = serializers.ListField(child=serializers.CharField(max_length=40), required=False)
