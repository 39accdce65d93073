"""Delegations in the API."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.signed_in import Caller
from approvals.absence import delegations as delegating
from approvals.api.serializers import DelegationSerializer
from approvals.models import Delegation
from ledger.api_once import OncePerKey


def _stand_in(given: Mapping[str, Any]) -> delegating.StandIn:
    return delegating.StandIn(
        to=given["to"],
        starts_at=given["starts_at"],
        ends_at=given["ends_at"],
        concessions=given.get("concessions", ()),
        up_to_usd=given.get("up_to_usd"),
        note=given.get("note", ""),
    )


class DelegationViewSet(
    OncePerKey, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[Delegation]
):
    """Delegations that the caller gave or got; operations see all."""

    request: Caller
    queryset = Delegation.objects.none()
    serializer_class = DelegationSerializer
    filter_backends = []

    def get_queryset(self) -> QuerySet[Delegation]:
        """Those the caller gave or got."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        rows = Delegation.objects.select_related("user", "to")
        user = self.request.user
        return rows if user.is_ops else rows.filter(Q(user=user) | Q(to=user))

    @extend_schema(request=DelegationSerializer, responses={201: DelegationSerializer})
    def create(self, request: Caller) -> Response:
        """Add a stand-in for the caller."""
        given = DelegationSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        made = delegating.make(_stand_in(given.validated_data), user=request.user, by=request.user)
        return Response(DelegationSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(request=None, responses=DelegationSerializer)
    @action(detail=True, methods=["post"])
    def end(self, request: Caller, pk: str) -> Response:
        """End it early; ending it twice has no further effect."""
        made = delegating.end(delegation_id=self.get_object().pk, by=request.user)
        return Response(DelegationSerializer(made).data)
