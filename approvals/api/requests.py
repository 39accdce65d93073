"""Requests in the API: the same verbs, rights and errors as the pages."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import django_filters
from django.db.models import Prefetch, QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import mixins, serializers, viewsets
from rest_framework.decorators import action
from rest_framework.response import Response

from accounts.signed_in import Caller
from approvals.absence import delegations as delegating
from approvals.api.authority import StageSerializer
from approvals.api.serializers import DelegateSerializer, ResubmitSerializer, SeatSerializer, TermsSerializer
from approvals.models import ApprovalRequest, DecisionEntry, Seat, Suggestion
from approvals.requests import decide as deciding
from approvals.requests import page, plan, talk, visibility
from approvals.requests import terms as changing
from approvals.requests.models import RequestQuerySet
from approvals.requests.permissions import for_user
from approvals.requests.rules.verdicts import VERDICTS
from ledger.api_once import OncePerKey
from ledger.now import now

MORE = ("suggestion", "options", "terms", "terms_hash", "rule", "replaces", "stage", "stages", "seats", "log")


class DecisionEntrySerializer(serializers.ModelSerializer):
    """One row of the decision log."""

    actor = serializers.CharField(source="actor.email", default=None, read_only=True)
    on_behalf_of = serializers.CharField(source="on_behalf_of.email", default=None, read_only=True)

    class Meta:
        model = DecisionEntry
        fields = [
            *(
                "seq",
                "at",
                "kind",
                "actor",
                "on_behalf_of",
                "channel",
                "role",
                "limit",
                "rule_version",
                "seat",
                "rationale",
            ),
            *("conditions", "override", "facts", "digest"),
        ]
        read_only_fields = fields


class ApprovalSerializer(serializers.ModelSerializer):
    """A request in lists."""

    account_name = serializers.CharField(source="account.name", read_only=True)
    requester = serializers.EmailField(source="requester.email", read_only=True)
    beneficiary = serializers.EmailField(source="beneficiary.email", default=None, read_only=True)
    approver = serializers.EmailField(source="approver.email", default=None, read_only=True)
    approver_role = serializers.CharField(source="approver_role.slug", default=None, read_only=True)
    decided_by = serializers.EmailField(source="decided_by.email", default=None, read_only=True)
    authority_version = serializers.IntegerField(source="authority.number", read_only=True)

    class Meta:
        model = ApprovalRequest
        fields = [
            *("id", "state", "version", "account", "account_name", "case_key", "tier", "concession", "unit"),
            *("amount", "currency", "amount_usd", "total_usd", "ask", "why_now", "recommendation"),
            *("deadline", "warn_at", "paused_at"),
            *("requester", "beneficiary", "approver", "approver_role", "authority_version", "opened_at", "asked_since"),
            *("decided_at", "decided_by", "by_rule", "conditions", "reason", "sealed_at"),
        ]
        read_only_fields = fields


class SuggestionSerializer(serializers.ModelSerializer):
    """The suggestion of a rule, with its reasons, strongest first, and the approver's answer."""

    class Meta:
        model = Suggestion
        fields = [
            "rule",
            "rule_version",
            "verdict",
            "amount",
            "conditions",
            "reasons",
            "certainty",
            "made_at",
            "outcome",
        ]
        read_only_fields = fields


class ApprovalDetailSerializer(ApprovalSerializer):
    """A request with the facts of the decision, its seats and its log. `stage` is the one that is asked now, `stages`
    is the whole plan."""

    seats = SeatSerializer(source="all_seats", many=True, read_only=True)
    log = DecisionEntrySerializer(many=True, read_only=True)
    suggestion = serializers.SerializerMethodField()
    stage = serializers.IntegerField(read_only=True)
    stages = serializers.SerializerMethodField()

    @extend_schema_field(StageSerializer(many=True))
    def get_stages(self, request: ApprovalRequest) -> Iterable[object]:
        """The people who decide and who are consulted, by stage."""
        return StageSerializer(plan.stages_of(request, plan.last_states(request)), many=True).data

    @extend_schema_field(SuggestionSerializer(allow_null=True))
    def get_suggestion(self, request: ApprovalRequest) -> Mapping[str, object] | None:
        """The newest suggestion, for people who decide or have decided and for executives."""
        user = self.context["request"].user
        right = for_user(request, user, now()) if request.is_open else None
        found = page.suggestion_for(request, user, right)
        return SuggestionSerializer(found).data if found else None

    class Meta(ApprovalSerializer.Meta):
        fields = [*ApprovalSerializer.Meta.fields, *MORE]
        read_only_fields = fields


class DecideSerializer(serializers.Serializer):
    """A decision. `version` is the version of the request that was read."""

    verdict = serializers.ChoiceField(choices=VERDICTS)
    version = serializers.IntegerField(min_value=1)
    seat = serializers.IntegerField(min_value=1, required=False)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    conditions = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")


class ReasonSerializer(serializers.Serializer):
    """A reason, such as for a recall."""

    reason = serializers.CharField(max_length=4000)


class NothingSerializer(serializers.Serializer):
    """The empty body of verbs without text."""


class TextSerializer(serializers.Serializer):
    """A question, an answer or a comment."""

    text = serializers.CharField(max_length=4000)


# The valid data of a serializer, by the names of its fields.
Given = Mapping[str, Any]


def _new_terms(given: Given) -> changing.NewTerms:
    return changing.NewTerms(given.get("amount"), given.get("currency", ""), given.get("terms"), given.get("ask", ""))


PARTS = [f"log__{name}" for name in ("actor", "on_behalf_of")]
PARTS += ["suggestions"]


# What the list reads: of the request, of its seats, of those it names.
SHOWN = frozenset(ApprovalSerializer.Meta.fields)
OF_SEAT = ("number", "request", "authority", "state", "person__email", "role__slug")
OF_OTHERS = ("account__name", "requester__email", "beneficiary__email", "decided_by__email", "authority__number")


class ApprovalFilter(django_filters.FilterSet):
    """state, account, case_key; mine=true for requests that wait for the caller."""

    mine = django_filters.BooleanFilter(method="of_caller", label="Waiting for the caller")

    class Meta:
        model = ApprovalRequest
        fields = ["state", "account", "case_key"]

    def of_caller(self, rows: QuerySet[ApprovalRequest], name: str, value: bool) -> QuerySet[ApprovalRequest]:
        """Open and waiting for the caller or a person the caller stands in for; false leaves those out."""
        waiting = ApprovalRequest.objects.waiting_on(self.request.user).values("pk")
        return rows.filter(pk__in=waiting) if value else rows.exclude(pk__in=waiting)


class ApprovalViewSet(
    OncePerKey, mixins.ListModelMixin, mixins.RetrieveModelMixin, viewsets.GenericViewSet[ApprovalRequest]
):
    """Requests for a concession that the caller may see, and the decision."""

    request: Caller
    queryset = ApprovalRequest.objects.none()
    serializer_class = ApprovalSerializer
    filterset_class = ApprovalFilter

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        """Requests that the caller may see; the log is in the detail only."""
        if getattr(self, "swagger_fake_view", False):
            return self.queryset
        seen = ApprovalRequest.objects.visible_to(self.request.user)
        return seen if self.action == "list" else seen.with_seats().prefetch_related(*PARTS)

    @property
    def shown_rows(self) -> QuerySet[ApprovalRequest]:
        """The rows of a page of the list, with no more than the list shows of a request and of those it names."""
        of_request = [field.name for field in ApprovalRequest._meta.concrete_fields if field.name in SHOWN]
        seats = Seat.objects.select_related("person", "role").only(*OF_SEAT)
        rows = ApprovalRequest.objects.select_related(*(name.partition("__")[0] for name in OF_OTHERS))
        return rows.only(*of_request, *OF_OTHERS).prefetch_related(Prefetch("seats", queryset=seats))

    def count_rows(self) -> int:
        """The length of the list."""
        rows = cast("RequestQuerySet", self.filter_queryset(ApprovalRequest.objects.all()))
        return visibility.count(rows, self.request.user)

    def get_serializer_class(self) -> type[serializers.BaseSerializer]:
        """The detail contains the log."""
        return ApprovalSerializer if self.action == "list" else ApprovalDetailSerializer

    @extend_schema(request=DecideSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def decide(self, request: Caller, pk: str) -> Response:
        """Approve, approve with conditions or decline, once. `version` is the version that was read."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return deciding.decide(
                request_id=asked,
                by=request.user,
                verdict=given["verdict"],
                version=given["version"],
                seat=given.get("seat"),
                words=deciding.Words(given["reason"], given["conditions"]),
                channel=DecisionEntry.API,
            )

        return self._do(request, DecideSerializer, act)

    @extend_schema(request=ReasonSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def recall(self, request: Caller, pk: str) -> Response:
        """Recall an open request, with a reason."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return deciding.recall(request_id=asked, by=request.user, reason=given["reason"], channel=DecisionEntry.API)

        return self._do(request, ReasonSerializer, act)

    @extend_schema(request=TextSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def question(self, request: Caller, pk: str) -> Response:
        """Ask the requester, on the record."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return talk.question(request_id=asked, by=request.user, text=given["text"], channel=DecisionEntry.API)

        return self._do(request, TextSerializer, act)

    @extend_schema(request=TextSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def answer(self, request: Caller, pk: str) -> Response:
        """Answer a question; all people who are asked are notified."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return talk.answer(request_id=asked, by=request.user, text=given["text"], channel=DecisionEntry.API)

        return self._do(request, TextSerializer, act)

    @extend_schema(request=None, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def remind(self, request: Caller, pk: str) -> Response:
        """Mail the question again to all people whose decision is waited for, at most once in ten minutes."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return talk.remind(request_id=asked, by=request.user, channel=DecisionEntry.API)

        return self._do(request, NothingSerializer, act)

    @extend_schema(request=None, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def undo(self, request: Caller, pk: str) -> Response:
        """Undo the caller's own decision or vote, within ten minutes."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return deciding.undo(request_id=asked, by=request.user, channel=DecisionEntry.API)

        return self._do(request, NothingSerializer, act)

    @extend_schema(request=TextSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def comment(self, request: Caller, pk: str) -> Response:
        """Add a comment to the record; it decides and blocks nothing."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return talk.comment(request_id=asked, by=request.user, text=given["text"], channel=DecisionEntry.API)

        return self._do(request, TextSerializer, act)

    @extend_schema(request=DelegateSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def delegate(self, request: Caller, pk: str) -> Response:
        """Delegate the caller's own seat to another user, with the caller's limit."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return delegating.delegate(
                request_id=asked,
                by=request.user,
                to=given["to"],
                reason=given["reason"],
                version=given.get("version"),
                channel=DecisionEntry.API,
            )

        return self._do(request, DelegateSerializer, act)

    @extend_schema(request=TermsSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def terms(self, request: Caller, pk: str) -> Response:
        """Change the terms of the version that was read: if they are better, votes stay; if they are worse, everybody
        is asked again."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return changing.change_terms(
                request_id=asked,
                by=request.user,
                version=given["version"],
                reason=given["reason"],
                wanted=_new_terms(given),
                channel=DecisionEntry.API,
            )

        return self._do(request, TermsSerializer, act)

    @extend_schema(request=TermsSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def supersede(self, request: Caller, pk: str) -> Response:
        """Replace an open or granted request by a new one; the old one ends at once. Returns the new one."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return changing.supersede(
                request_id=asked,
                by=request.user,
                version=given["version"],
                reason=given["reason"],
                wanted=_new_terms(given),
                channel=DecisionEntry.API,
            )

        return self._do(request, TermsSerializer, act)

    @extend_schema(request=ResubmitSerializer, responses=ApprovalDetailSerializer)
    @action(detail=True, methods=["post"])
    def resubmit(self, request: Caller, pk: str) -> Response:
        """Ask a recalled request again. Returns the new one."""

        def act(asked: int, given: Given) -> ApprovalRequest:
            return changing.resubmit(
                request_id=asked,
                by=request.user,
                wanted=_new_terms(given),
                recommendation=given.get("recommendation", ""),
                wish=changing.Wish(given.get("deadline"), given.get("why_later", "")),
                channel=DecisionEntry.API,
            )

        return self._do(request, ResubmitSerializer, act)

    def _do(
        self, request: Caller, words: type[serializers.Serializer], act: Callable[[int, Given], ApprovalRequest]
    ) -> Response:
        """Load a request that the caller may see, act, return the request."""
        asked = self.get_object()
        given = words(data=request.data)
        given.is_valid(raise_exception=True)

        made = act(asked.pk, given.validated_data)
        return Response(ApprovalDetailSerializer(self._seen(made.pk), context=self.get_serializer_context()).data)

    def _seen(self, pk: int) -> ApprovalRequest:
        """The request after the verb, for the caller: a stand-in who has decided may still read the outcome."""
        rows = ApprovalRequest.objects.filter(pk=pk).with_seats().prefetch_related(*PARTS)
        return rows.get()
