"""Accounts and signals over HTTP: the same verbs, rights and errors as the browser."""

from typing import cast

from django.db.models import QuerySet
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import (
    ACCOUNT_COLUMNS,
    AccountSerializer,
    AccountWriteSerializer,
    SignalSerializer,
    SignalWriteSerializer,
)
from accounts.customers import accounts
from accounts.customers.accounts import AccountValues
from accounts.customers.models import AccountQuerySet
from accounts.models import Account, Signal, User
from accounts.signals import record as signals
from ledger.api_once import OncePerKey
from ledger.errors import AlreadyDone, NotAllowed, NotThere
from ledger.moments import MomentFilter


class AccountFilter(filters.FilterSet):
    """The filters of the list."""

    health_min = filters.NumberFilter(field_name="health", lookup_expr="gte", min_value=0, max_value=100)
    health_max = filters.NumberFilter(field_name="health", lookup_expr="lte", min_value=0, max_value=100)
    renewal_before = filters.DateFilter(field_name="renewal_date", lookup_expr="lt")
    updated_since = MomentFilter(field_name="changed_at", lookup_expr="gte")
    search = filters.CharFilter(
        method="search_text", label="Beginnings of words in the name, external id, mail domains or contacts"
    )
    ordering = filters.OrderingFilter(
        fields=[("name", "name"), ("changed_at", "updated"), ("renewal_date", "renewal_date"), ("health", "health")]
    )

    class Meta:
        model = Account
        fields = ["kind", "status", "source", "external_id"]

    def search_text(self, queryset: AccountQuerySet, name: str, value: str) -> AccountQuerySet:
        """The same search as on the account page."""
        return queryset.matching(value) if value.strip() else queryset


class SignalFilter(filters.FilterSet):
    """The filters of the list."""

    since = MomentFilter(field_name="at", lookup_expr="gte")
    until = MomentFilter(field_name="at", lookup_expr="lt")

    class Meta:
        model = Signal
        fields = ["account", "kind", "tone", "source"]


def _user(request: Request) -> User:
    assert isinstance(request.user, User)  # noqa: S101 - the permission lets nobody else in
    return request.user


@extend_schema_view(list=extend_schema(summary="List accounts"), retrieve=extend_schema(summary="Read one account"))
class AccountViewSet(OncePerKey, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Companies this user may see. Integrations write them by their own external id."""

    serializer_class = AccountSerializer
    filterset_class = AccountFilter
    queryset = Account.objects.none()
    shown_rows = Account.objects.select_related("csm", "ae").only(*ACCOUNT_COLUMNS)

    def get_queryset(self) -> "QuerySet[Account]":
        """Only what this user may open."""
        return Account.objects.visible_to(_user(self.request)).select_related("csm", "ae").order_by("name", "id")

    @extend_schema(
        summary="Create or update an account by external id",
        description="For operations and service users. Fields left out keep their value. 201 when created, 200 otherwise.",
        request=AccountWriteSerializer,
        responses={200: AccountSerializer, 201: AccountSerializer},
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Upsert by (source, external_id)."""
        user = _user(request)
        if not (user.is_ops or user.kind == User.SERVICE):
            raise NotAllowed("Only operations and service users may write accounts.")
        body = AccountWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        given = body.validated_data
        known = {name: value for name, value in given.items() if name not in ("source", "external_id")}

        account, new = accounts.put(
            by=user, source=given["source"], external_id=given["external_id"], values=cast("AccountValues", known)
        )
        code = status.HTTP_201_CREATED if new else status.HTTP_200_OK
        return Response(AccountSerializer(account).data, status=code)


@extend_schema_view(list=extend_schema(summary="List signals"), retrieve=extend_schema(summary="Read one signal"))
class SignalViewSet(OncePerKey, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet):
    """Signals of accounts, newest first."""

    serializer_class = SignalSerializer
    filterset_class = SignalFilter
    queryset = Signal.objects.none()

    def get_queryset(self) -> "QuerySet[Signal]":
        """Only of accounts this user may open."""
        return Signal.objects.visible_to(_user(self.request)).select_related("account", "contact")

    @extend_schema(
        summary="Log a signal",
        description="Tone and risk phrases are read from the text. The same source and external id gives the first signal. "
        f"The source “{signals.RECEIVED_MAIL}” is refused: it belongs to mail that the desk receives.",
        request=SignalWriteSerializer,
        responses={201: SignalSerializer},
    )
    def create(self, request: Request, *args: object, **kwargs: object) -> Response:
        """Keep a signal of a visible account."""
        body = SignalWriteSerializer(data=request.data)
        body.is_valid(raise_exception=True)

        given = body.validated_data
        account = _visible_account(_user(request), given["account"])
        observed = signals.Observed(
            kind=given["kind"],
            text=given["text"],
            at=given.get("at"),
            contact=accounts.contact_of(account=account, email=given.get("contact_email", "")),
            amount=given.get("amount"),
            currency=given.get("currency", ""),
            with_concession=given.get("with_concession", False),
        )
        signal = signals.record(
            observed,
            account=account,
            source=given.get("source", "manual"),
            external_id=given.get("external_id"),
            logged_by=_user(request),
        )
        if not Signal.objects.readable_by(_user(request)).filter(pk=signal.pk).exists():
            raise AlreadyDone("This external id is taken by a signal that you cannot open.", field="external_id")
        return Response(SignalSerializer(signal).data, status=status.HTTP_201_CREATED)


def _visible_account(user: User, pk: int) -> Account:
    account = Account.objects.visible_to(user).filter(pk=pk).first()
    if account is None:
        raise NotThere("There is no such account.", field="account")
    return account


router_entries = [("accounts", AccountViewSet), ("signals", SignalViewSet)]
