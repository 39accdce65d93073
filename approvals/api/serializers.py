"""Bodies of the verbs other than the decision."""

from typing import ClassVar, TypedDict, Unpack

from rest_framework import serializers

from accounts.models import User
from approvals.models import Delegation, Seat
from ledger.moments import ApiMoment


class Options(TypedDict, total=False):
    """Further options of a field that names a person."""

    required: bool
    allow_null: bool
    default: User | None
    help_text: str


class PersonField(serializers.SlugRelatedField):
    """An active user, by e-mail address."""

    def __init__(self, **options: Unpack[Options]) -> None:
        super().__init__(slug_field="email", queryset=User.objects.filter(is_active=True), **options)

    def to_internal_value(self, data: object) -> User:
        """Refuse an address with characters that a database cannot store."""
        if "\0" in str(data):
            self.fail("does_not_exist", slug_name="email", value="…")
        found: User = super().to_internal_value(data)
        return found


class SeatSerializer(serializers.ModelSerializer):
    """One seat: the person, the role and the vote. `number` is the `seat` of a decision."""

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
    """The delegation of one request."""

    to = PersonField()
    reason = serializers.CharField(max_length=4000)
    version = serializers.IntegerField(min_value=1, required=False)


class TermsSerializer(serializers.Serializer):
    """New terms; fields left out do not change. `version` is the version of the request that was read."""

    version = serializers.IntegerField(min_value=1)
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    terms = serializers.DictField(required=False)
    ask = serializers.CharField(max_length=1000, required=False)
    reason = serializers.CharField(max_length=4000)


class ResubmitSerializer(serializers.Serializer):
    """A recalled request that is asked again; fields left out do not change."""

    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False)
    currency = serializers.CharField(max_length=3, required=False)
    terms = serializers.DictField(required=False)
    ask = serializers.CharField(max_length=1000, required=False)
    recommendation = serializers.CharField(max_length=8000, required=False)
    deadline = ApiMoment(
        required=False, help_text="Left out: as the decision clock of the case; without a case, as before."
    )
    why_later = serializers.CharField(
        max_length=300, required=False, help_text="Why the deadline may be later than the decision clock of the case."
    )


class DelegationSerializer(serializers.ModelSerializer):
    """A delegation: delegator, stand-in, time (half-open) and scope."""

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
