"""Override rates in the API."""

from datetime import UTC, datetime, timedelta

from django.core.validators import MaxValueValidator, MinValueValidator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, viewsets
from rest_framework.response import Response

from accounts.signed_in import Caller
from approvals.models import ApprovalRequest
from approvals.requests import overrides
from ledger.moments import ApiMoment
from ledger.now import now
from ledger.parameters import KnownParameters

LAST_DAYS = timedelta(days=90)
MOST_REASONS = 500
SENSIBLE = [MinValueValidator(datetime(2000, 1, 1, tzinfo=UTC)), MaxValueValidator(datetime(2200, 1, 1, tzinfo=UTC))]


class PeriodSerializer(serializers.Serializer):
    """From (inclusive) to (exclusive); without them, the last 90 days. There are `limit` reasons at a time, starting at
    `offset`."""

    start = ApiMoment(required=False, validators=SENSIBLE)
    end = ApiMoment(required=False, validators=SENSIBLE)
    limit = serializers.IntegerField(required=False, default=MOST_REASONS, min_value=1, max_value=MOST_REASONS)
    offset = serializers.IntegerField(required=False, default=0, min_value=0, max_value=10**9)


class OfRuleSerializer(serializers.Serializer):
    """The outcome of the suggestions of one version of a rule."""

    rule = serializers.CharField()
    version = serializers.IntegerField()
    shown = serializers.IntegerField()
    accepted = serializers.IntegerField()
    changed = serializers.IntegerField()
    rejected = serializers.IntegerField()
    rate = serializers.FloatField()


class OfApproverSerializer(serializers.Serializer):
    """Decisions of one person."""

    person = serializers.EmailField(source="person.email")
    decided = serializers.IntegerField()
    overridden = serializers.IntegerField()
    rate = serializers.FloatField()


class ReasonSerializer(serializers.Serializer):
    """One override."""

    at = ApiMoment()
    who = serializers.EmailField(source="who.email", default=None)
    against = serializers.CharField(source="what")
    outcome = serializers.CharField()
    reason = serializers.CharField()
    request = serializers.IntegerField(source="request.pk")
    case_key = serializers.CharField(source="request.case_key")


class OverridesSerializer(serializers.Serializer):
    """By rule version, by person, and the reasons, the latest first. `reasons_count`: the number of reasons in the
    period."""

    suggestions = OfRuleSerializer(many=True)
    approvers = OfApproverSerializer(many=True)
    reasons_count = serializers.IntegerField()
    reasons = ReasonSerializer(many=True)


class OverrideViewSet(KnownParameters, viewsets.GenericViewSet[ApprovalRequest]):
    """How often people decide differently from the suggestion or recommendation, for requests the caller may see."""

    queryset = ApprovalRequest.objects.none()
    serializer_class = OverridesSerializer
    pagination_class = None
    filter_backends = []
    own_parameters = {"list": PeriodSerializer}

    @extend_schema(parameters=[PeriodSerializer], responses=OverridesSerializer)
    def list(self, request: Caller) -> Response:
        """Rates and reasons of a period."""
        given = PeriodSerializer(data=request.query_params)
        given.is_valid(raise_exception=True)
        wanted = given.validated_data
        end, first = wanted.get("end", now()), wanted["offset"]
        user, start = request.user, wanted.get("start", end - LAST_DAYS)
        said = overrides.Reasons(user, start, end)
        found = {
            "suggestions": overrides.of_rules(user, start, end),
            "approvers": overrides.of_approvers(user, start, end),
            "reasons_count": len(said),
            "reasons": said[first : first + wanted["limit"]],
        }
        return Response(OverridesSerializer(found).data)
