"""Cases over HTTP: list, read, open, move, post, brief, ask, tracker, review."""

from typing import Any, ClassVar, cast

import django_filters
from django.db.models import Prefetch, QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.utils.urls import replace_query_param

from accounts.models import Account, Signal, User
from escalations import states
from escalations.api import serializers as shapes
from escalations.api.clocks import ClockSerializer, DeadlineSerializer, HandOffSerializer, HoldSerializer
from escalations.api.files import CaseFiles
from escalations.api.moves import MOVERS, Given
from escalations.cases import brief as briefing
from escalations.cases import closing, deadlines, decisions, intake, tracker
from escalations.cases import requests as asking
from escalations.cases import thread as communication
from escalations.cases.briefs import gaps
from escalations.clocks import verbs
from escalations.models import CasePerson, Escalation, Review
from escalations.policy.levels import at_level
from ledger import idempotency
from ledger.api_once import OncePerKey, body_of, key_of, scope_of
from ledger.errors import NotThere
from ledger.moments import MomentFilter
from ledger.now import now
from ledger.reading import MOST


class EscalationFilter(django_filters.FilterSet):
    """Filters of the list."""

    account = django_filters.NumberFilter(field_name="account_id", min_value=0, max_value=MOST)
    issue_type = django_filters.CharFilter(field_name="issue_type__slug")
    owner = django_filters.CharFilter(field_name="owner__email", lookup_expr="iexact")
    state = django_filters.MultipleChoiceFilter(choices=states.STATES)
    tier = django_filters.MultipleChoiceFilter(choices=states.TIERS)
    level = django_filters.CharFilter(method="of_level", label="Slug of a level, such as director")
    open = django_filters.BooleanFilter(method="only_open", label="Only open cases")
    past_sla = django_filters.BooleanFilter(method="only_late", label="Only cases past SLA")
    opened_after = MomentFilter(field_name="opened_at", lookup_expr="gte")
    opened_before = MomentFilter(field_name="opened_at", lookup_expr="lt")
    ordering = django_filters.OrderingFilter(fields=["opened_at", "sla_due_at", "arr_at_risk", "id"])

    class Meta:
        model = Escalation
        fields: ClassVar = ["account", "state", "tier", "level"]

    def only_open(self, queryset: QuerySet[Escalation], name: str, value: bool) -> QuerySet[Escalation]:
        """Open cases, or ended ones."""
        return queryset.filter(state__in=states.OPEN) if value else queryset.exclude(state__in=states.OPEN)

    def of_level(self, queryset: QuerySet[Escalation], name: str, value: str) -> QuerySet[Escalation]:
        """Cases at a level, each by its own policy version."""
        return queryset.filter(at_level(value))

    def only_late(self, queryset: QuerySet[Escalation], name: str, value: bool) -> QuerySet[Escalation]:
        """Cases whose worst clock is past due."""
        late = {"sla_due_at__lte": now()}
        return queryset.filter(**late) if value else queryset.exclude(**late)


class EscalationViewSet(
    OncePerKey,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.CreateModelMixin,
    CaseFiles,
):
    """Escalations. Addressed by key (ESC-1042)."""

    lookup_field = "key"
    own_keys = ("create", "files")
    own_parameters = {"events": shapes.EventQuerySerializer}
    lookup_value_regex = r"ESC-\d{1,12}"
    filterset_class = EscalationFilter
    queryset = Escalation.objects.none()
    shown_rows = Escalation.objects.select_related("account", "issue_type", "owner", "policy").only(*shapes.LISTED)

    def get_queryset(self) -> QuerySet[Escalation]:
        """The cases that the caller may see, with the values of the list."""
        if getattr(self, "swagger_fake_view", False):
            return Escalation.objects.none()
        return Escalation.objects.visible_to(self.user).select_related("account", "issue_type", "owner", "policy")

    @property
    def user(self) -> User:
        """The caller."""
        return self.request.user  # type: ignore[return-value]

    def get_object(self) -> Escalation:
        """By key; 404 for a case that the caller may not see."""
        return get_object_or_404(self.get_queryset(), pk=self._number)

    @property
    def _number(self) -> int:
        return int(self.kwargs["key"].removeprefix("ESC-"))

    def get_serializer_class(self) -> type[shapes.EscalationListSerializer]:
        """The short form in lists, else the whole case."""
        return shapes.EscalationListSerializer if self.action == "list" else shapes.EscalationSerializer

    def _whole(self) -> dict[str, object]:
        people = Prefetch("people", CasePerson.objects.select_related("user"))
        case = get_object_or_404(
            self.get_queryset().select_related("account__csm").prefetch_related(people), pk=self._number
        )
        context = {**self.get_serializer_context(), "brief_gaps": gaps(case, now())}
        return dict(shapes.EscalationSerializer(case, context=context).data)

    def _valid(self, shape: type[BaseSerializer]) -> dict[str, Any]:
        serializer = shape(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def retrieve(self, request: Request, key: str) -> Response:
        """A whole case."""
        return Response(self._whole())

    @extend_schema(request=shapes.OpenSerializer, responses={201: shapes.EscalationSerializer})
    def create(self, request: Request) -> Response:
        """Open a case: triaged, routed and handed off."""
        data = self._valid(shapes.OpenSerializer)
        scope, key, body = scope_of(request), key_of(request), body_of(request)
        known = idempotency.is_answered(scope=scope, key=key, body=body)
        if not known:
            self._own_signal(data["account"], data.get("signal"))
        # Read before the transaction of the key, in which all others wait on SQLite.
        opening = None if known else intake.prepare(intake.Intake(**data), by=self.user)

        def do() -> tuple[int, dict[str, str]]:
            return 201, {"key": intake.open_case(intake.Intake(**data), by=self.user, prepared=opening).key}

        status, answer = idempotency.once(scope=scope, key=key, body=body, do=do)
        self.kwargs["key"] = answer["key"]
        return Response(self._whole(), status=status)

    def _own_signal(self, account: Account, signal: Signal | None) -> None:
        if signal and not Signal.objects.visible_to(self.user).filter(pk=signal.pk, account=account).exists():
            raise NotThere("This account has no such signal.", field="signal")

    @extend_schema(request=shapes.MoveSerializer, responses=shapes.EscalationSerializer)
    @action(detail=True, methods=["post"])
    def move(self, request: Request, key: str) -> Response:
        """Accept, refuse, hand over, escalate, execute, resolve, close, reopen or withdraw."""
        data = self._valid(shapes.MoveSerializer)
        MOVERS[data["move"]](self.get_object(), self.user, cast("Given", data))
        return Response(self._whole())

    @extend_schema(methods=["get"], parameters=[shapes.EventQuerySerializer], responses=shapes.EventPageSerializer)
    @extend_schema(methods=["post"], request=shapes.PostSerializer, responses={201: shapes.EventSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def events(self, request: Request, key: str) -> Response:
        """Read the log of the case in pages, or post to its thread.

        Oldest first: follow `next`, or ask for what came after the last entry you know. `ordering=-seq`: newest first.
        """
        case = self.get_object()
        if request.method == "GET":
            return Response(self._page_of_events(case, request))
        data = self._valid(shapes.PostSerializer)
        text, next_at = data["text"], data["next_update_at"]
        if data["decision"]:
            ruling = decisions.Ruling(text, data["rationale"], data["options"])
            event = decisions.decide(case_id=case.pk, by=self.user, ruling=ruling)
        elif data["audience"] == "customer":
            event = communication.customer_update(
                case_id=case.pk, by=self.user, text=text, contacts=data["contacts"], next_update_at=next_at
            )
        else:
            event = communication.post(case_id=case.pk, by=self.user, text=text, next_update_at=next_at)
        return Response(shapes.EventSerializer(event).data, status=201)

    def _page_of_events(self, case: Escalation, request: Request) -> dict[str, object]:
        wanted = shapes.EventQuerySerializer(data=request.query_params)
        wanted.is_valid(raise_exception=True)
        size, order = wanted.validated_data["page_size"], wanted.validated_data["ordering"]
        rows = case.events.select_related("text").order_by(order)
        if "after" in wanted.validated_data:
            rows = rows.filter(seq__gt=wanted.validated_data["after"])
        if "before" in wanted.validated_data:
            rows = rows.filter(seq__lt=wanted.validated_data["before"])
        found = list(rows[: size + 1])
        more = None
        if len(found) > size:
            keep = "after" if order == "seq" else "before"
            more = replace_query_param(request.build_absolute_uri(), keep, str(found[size - 1].seq))
        return {"next": more, "results": shapes.EventSerializer(found[:size], many=True).data}

    @extend_schema(responses=ClockSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def clocks(self, request: Request, key: str) -> Response:
        """All clocks of the case: running ones first, then the last that ended."""
        return self._pages(self.get_object().clocks.select_related("calendar").newest_first(), ClockSerializer)

    @extend_schema(responses=HandOffSerializer(many=True))
    @action(detail=True, methods=["get"], filterset_class=None)
    def handoffs(self, request: Request, key: str) -> Response:
        """All hand-offs of the case, the newest first."""
        sent = self.get_object().handoffs.select_related("to_user", "from_user")
        return self._pages(sent.order_by("-number"), HandOffSerializer)

    def _pages(self, rows: QuerySet[Any], shape: type[BaseSerializer]) -> Response:
        return self.get_paginated_response(shape(self.paginate_queryset(rows), many=True).data)

    @extend_schema(request=shapes.BriefSerializer, responses=shapes.EscalationSerializer)
    @action(detail=True, methods=["put"])
    def brief(self, request: Request, key: str) -> Response:
        """Write parts of the brief."""
        data = self._valid(shapes.BriefSerializer)
        briefing.save_parts(
            case_id=self.get_object().pk,
            by=self.user,
            texts=data["texts"],
            options=data["options"],
            versions=data["versions"],
        )
        return Response(self._whole())

    @extend_schema(request=DeadlineSerializer, responses=shapes.EscalationSerializer)
    @action(detail=True, methods=["put"])
    def deadline(self, request: Request, key: str) -> Response:
        """Change the customer deadline of the case; its clock starts again."""
        data = self._valid(DeadlineSerializer)
        deadlines.set_deadline(
            case_id=self.get_object().pk,
            by=self.user,
            deadline=data["deadline"],
            reason=data["reason"],
            version=data.get("version"),
        )
        return Response(self._whole())

    @extend_schema(request=HoldSerializer, responses=ClockSerializer)
    @action(detail=True, methods=["post"], url_path=r"clocks/(?P<number>\d{1,12})/pause")
    def hold(self, request: Request, key: str, number: str) -> Response:
        """Pause one clock by hand, with a reason."""
        clock = get_object_or_404(self.get_object().clocks, pk=int(number))
        reason = self._valid(HoldSerializer)["reason"]
        held = verbs.hold(case_id=clock.case_id, clock_id=clock.pk, by=self.user, reason=reason)
        return Response(ClockSerializer(held).data)

    @extend_schema(request=None, responses=ClockSerializer)
    @action(detail=True, methods=["post"], url_path=r"clocks/(?P<number>\d{1,12})/resume")
    def let_go(self, request: Request, key: str, number: str) -> Response:
        """Resume a clock that was paused by hand."""
        clock = get_object_or_404(self.get_object().clocks, pk=int(number))
        return Response(ClockSerializer(verbs.let_go(case_id=clock.case_id, clock_id=clock.pk, by=self.user)).data)

    @extend_schema(request=shapes.AskSerializer, responses={201: shapes.EscalationSerializer})
    @action(detail=True, methods=["post"])
    def ask(self, request: Request, key: str) -> Response:
        """Request a concession; the authority matrix decides who approves it."""
        data = self._valid(shapes.AskSerializer)
        wanted = asking.CaseAsk(
            concession=data["concession"],
            amount=data["amount"],
            currency=data["currency"],
            question=data["question"],
            deadline=data["deadline"],
            why_later=data["why_later"],
            why_unowned=data["why_unowned"],
            renewal=data["renewal"],
            beneficiary=data["beneficiary"],
        )
        asking.ask(wanted, case_id=self.get_object().pk, by=self.user, channel="api")
        return Response(self._whole(), status=201)

    @extend_schema(methods=["get"], responses=shapes.ActionSerializer(many=True))
    @extend_schema(methods=["post"], request=shapes.ActionSerializer, responses={201: shapes.ActionSerializer})
    @action(detail=True, methods=["get", "post"], pagination_class=None, filterset_class=None)
    def actions(self, request: Request, key: str) -> Response:
        """Read or add actions of the tracker."""
        case = self.get_object()
        if request.method == "GET":
            return Response(shapes.ActionSerializer(case.actions.select_related("owner"), many=True).data)
        data = self._valid(shapes.ActionSerializer)
        made = tracker.add_action(
            case_id=case.pk,
            by=self.user,
            title=data["title"],
            owner=data["owner"],
            due_at=data["due_at"],
            execution=data.get("execution", False),
        )
        return Response(shapes.ActionSerializer(made).data, status=201)

    @extend_schema(request=shapes.DoneSerializer, responses=shapes.ActionSerializer)
    @action(detail=True, methods=["post"], url_path=r"actions/(?P<number>\d{1,12})/done")
    def done(self, request: Request, key: str, number: str) -> Response:
        """Mark an action done; execution actions need a proof."""
        found = get_object_or_404(self.get_object().actions, pk=int(number))
        proof = self._valid(shapes.DoneSerializer)["proof"]
        made = tracker.finish_action(action_id=found.pk, by=self.user, proof=proof)
        return Response(shapes.ActionSerializer(made).data)

    @extend_schema(request=shapes.ReviewSerializer, responses=shapes.ReviewSerializer)
    @action(detail=True, methods=["patch"])
    def review(self, request: Request, key: str) -> Response:
        """Write the review; `sign` signs it off, `waive` waives it with the given reason."""
        case = self.get_object()
        serializer = shapes.ReviewSerializer(data=request.data, partial=True)
        serializer.is_valid(raise_exception=True)
        answers = dict(serializer.validated_data)
        sign, waive = answers.pop("sign", False), answers.pop("waive", "")
        if answers:
            closing.write_review(case_id=case.pk, by=self.user, answers=answers)
        if sign:
            closing.sign_review(case_id=case.pk, by=self.user)
        elif waive:
            closing.waive_review(case_id=case.pk, by=self.user, reason=waive)
        return Response(shapes.ReviewSerializer(get_object_or_404(Review, case=case)).data)
