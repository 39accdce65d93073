"""The bodies of the API; every field is named."""

from typing import Any, ClassVar, TypedDict

from django.db.models import Field, TextField
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.models import Contact, User
from escalations import states
from escalations.api.clocks import ClockSerializer, HandOffSerializer
from escalations.cases.intake import KEPT
from escalations.models import Action, CasePerson, Escalation, Event, Review
from ledger.moments import ApiMoment

LONGEST_TEXT = 4_000
EMBEDDED = 50  # rows of a list inside a case


class EscalationListSerializer(serializers.ModelSerializer[Escalation]):
    """A case in a list."""

    key = serializers.CharField(read_only=True)
    account = serializers.IntegerField(source="account_id", read_only=True)
    account_name = serializers.CharField(source="account.name", read_only=True)
    issue_type = serializers.CharField(source="issue_type.slug", read_only=True)
    owner = serializers.EmailField(source="owner.email", read_only=True, default=None)
    stage = serializers.CharField(read_only=True)
    level_slug = serializers.CharField(read_only=True)
    level_name = serializers.CharField(source="get_level_display", read_only=True)

    class Meta:
        model = Escalation
        fields: ClassVar = [
            "key",
            "state",
            "stage",
            "account",
            "account_name",
            "issue_type",
            "title",
            "tier",
            "lane",
            "level",
            "level_slug",
            "level_name",
            "kind",
            "score",
            "owner",
            "arr_at_risk",
            "arr_currency",
            "deadline",
            "opened_at",
            "sla_clock",
            "sla_due_at",
            "version",
        ]
        read_only_fields = fields


# The columns that the list reads.
LISTED = (
    *(each.name for each in Escalation._meta.concrete_fields if each.name in EscalationListSerializer.Meta.fields),
    *("policy", "account__name", "issue_type__slug", "owner__email", "policy__state", "policy__published_at"),
)


class PersonOnCase(TypedDict):
    """A person on a case, with RACI letter and duty."""

    user: str
    name: str
    letter: str
    duty: str
    accepted: bool


class EscalationSerializer(EscalationListSerializer):
    """A whole case: reasons for its level, people, clocks, hand-offs, requests.

    `clocks` (running ones first, then the last that ended), `handoffs` and `requests` (both the newest, oldest first) hold at
    most 50 each. All of them: `clocks/` and `handoffs/` below the case, and the list of approvals with `case_key`.
    """

    people = serializers.SerializerMethodField()
    clocks = serializers.SerializerMethodField()
    handoffs = serializers.SerializerMethodField()
    requests = serializers.SerializerMethodField()
    brief_gaps = serializers.SerializerMethodField()

    class Meta(EscalationListSerializer.Meta):
        fields: ClassVar = [
            *EscalationListSerializer.Meta.fields,
            "issue",
            "impact",
            "requested_support",
            "concession",
            "amount",
            "currency",
            "impasse_at",
            "trigger",
            "trigger_text",
            "score_parts",
            "triage_reasons",
            "route_reasons",
            "authority_reason",
            "waiting_on",
            "status_text",
            "outcome",
            "root_cause",
            "resolution",
            "resolved_at",
            "closed_at",
            "people",
            "clocks",
            "handoffs",
            "requests",
            "brief_gaps",
        ]
        read_only_fields = fields

    def get_people(self, case: Escalation) -> list[PersonOnCase]:
        """Letters and duties."""
        return [
            {
                "user": person.user.email,
                "name": person.user.name,
                "letter": person.letter,
                "duty": person.duty,
                "accepted": person.accepted_at is not None,
            }
            for person in case.people.all()
        ]

    @extend_schema_field(ClockSerializer(many=True))
    def get_clocks(self, case: Escalation) -> object:
        """The running clocks first, then the last that ended."""
        return ClockSerializer(case.clocks.select_related("calendar").newest_first()[:EMBEDDED], many=True).data

    @extend_schema_field(HandOffSerializer(many=True))
    def get_handoffs(self, case: Escalation) -> object:
        """The newest hand-offs, oldest first."""
        newest = case.handoffs.select_related("to_user", "from_user").order_by("-number")[:EMBEDDED]
        return HandOffSerializer(newest[::-1], many=True).data

    def get_requests(self, case: Escalation) -> list[int]:
        """The ids of the newest requests, oldest first."""
        return sorted(case.case_requests.order_by("-request").values_list("request", flat=True)[:EMBEDDED])

    def get_brief_gaps(self, case: Escalation) -> list[str]:
        """The missing parts of the brief."""
        return list(self.context.get("brief_gaps", []))


class OpenSerializer(serializers.ModelSerializer[Escalation]):
    """The fields for opening a case: those of `Intake`. Times with an offset, money as a string with its currency."""

    issue_type = serializers.SlugField()
    title = serializers.CharField(max_length=160, required=False)
    impasse_at = ApiMoment(required=False, allow_null=True)
    concession = serializers.SlugField(required=False, allow_blank=True)
    currency = serializers.CharField(max_length=3, required=False)

    class Meta:
        model = Escalation
        fields: ClassVar = ["account", "issue_type", "title", "impasse_at", "currency", "signal", *KEPT]

    def build_standard_field(self, field_name: str, model_field: Field) -> tuple[type, dict[str, Any]]:
        """Free texts get a maximum length."""
        kind, options = super().build_standard_field(field_name, model_field)
        if isinstance(model_field, TextField):
            options["max_length"] = LONGEST_TEXT
        return kind, options


MOVES = ("accept", "refuse", "hand_over", "escalate", "execute", "resolve", "close", "reopen", "withdraw", "duplicate")


class MoveSerializer(serializers.Serializer[Escalation]):
    """One move of a case. If a required field is missing, the error names it."""

    move = serializers.ChoiceField(choices=MOVES)
    reason = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)
    handoff = serializers.IntegerField(required=False, help_text="Number of the hand-off; the waiting one by default.")
    to = serializers.SlugRelatedField(
        slug_field="email", queryset=User.objects.filter(is_active=True, kind=User.PERSON), required=False
    )
    tried = serializers.CharField(max_length=4000, required=False, default="", allow_blank=True)
    open_points = serializers.CharField(max_length=4000, required=False, default="", allow_blank=True)
    ask = serializers.CharField(max_length=4000, required=False, default="", allow_blank=True)
    duty = serializers.ChoiceField(
        choices=CasePerson.DUTIES, required=False, default=CasePerson.OWNER, help_text="The duty to hand over."
    )
    both = serializers.CharField(
        max_length=200,
        required=False,
        default="",
        allow_blank=True,
        help_text="Why one person owns the case and decides.",
    )
    of = serializers.CharField(
        max_length=16, required=False, default="", allow_blank=True, help_text="The case that carries a duplicate on."
    )
    outcome = serializers.ChoiceField(choices=states.OUTCOMES, required=False, default="", allow_blank=True)
    root_cause = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    resolution = serializers.CharField(max_length=4000, required=False, default="", allow_blank=True)
    customer_told = serializers.BooleanField(required=False, default=False)


class EventSerializer(serializers.ModelSerializer[Event]):
    """An entry of the thread."""

    text = serializers.CharField(source="text.body", read_only=True, default="")

    class Meta:
        model = Event
        fields: ClassVar = ["seq", "at", "kind", "audience", "actor_name", "summary", "text", "data", "digest"]
        read_only_fields = fields


class EventPageSerializer(serializers.Serializer[None]):
    """A page of the log. `next`: the address of the following page, or null."""

    next = serializers.CharField(allow_null=True)
    results = EventSerializer(many=True)


class EventQuerySerializer(serializers.Serializer[None]):
    """The wanted page of the log."""

    ordering = serializers.ChoiceField(choices=["seq", "-seq"], default="seq", help_text="-seq: the newest first.")
    after = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Entries after this one."
    )
    before = serializers.IntegerField(
        required=False, min_value=0, max_value=2**31 - 1, help_text="Entries before this one."
    )
    page_size = serializers.IntegerField(default=50, min_value=1, max_value=200)


class PostSerializer(serializers.Serializer[Event]):
    """A post: internal by default; to the customer with contacts; a decision of the decision authority with its reason."""

    text = serializers.CharField(max_length=20_000)
    audience = serializers.ChoiceField(choices=["internal", "customer"], default="internal")
    decision = serializers.BooleanField(default=False, help_text="Decides on the case without a request.")
    rationale = serializers.CharField(max_length=4_000, required=False, allow_blank=True, default="")
    options = serializers.CharField(max_length=4_000, required=False, allow_blank=True, default="")
    contacts = serializers.PrimaryKeyRelatedField(
        queryset=Contact.objects.all(), many=True, required=False, default=list
    )
    next_update_at = ApiMoment(required=False, allow_null=True, default=None)


class OptionSerializer(serializers.Serializer[None]):
    """One option of the brief."""

    name = serializers.CharField(max_length=300)
    trade_off = serializers.CharField(max_length=1000, allow_blank=True, default="")
    revenue = serializers.CharField(max_length=300, allow_blank=True, default="")
    exposure = serializers.CharField(max_length=300, allow_blank=True, default="")
    conditions = serializers.CharField(max_length=1000, allow_blank=True, default="", help_text="One per line.")
    status_quo = serializers.BooleanField(default=False)
    recommended = serializers.BooleanField(default=False)


class BriefSerializer(serializers.Serializer[None]):
    """Parts to write; parts left out do not change."""

    texts = serializers.DictField(child=serializers.CharField(max_length=20_000, allow_blank=True), default=dict)
    options = OptionSerializer(many=True, required=False, default=None, allow_null=True)
    versions = serializers.DictField(child=serializers.IntegerField(), default=dict)


class AskSerializer(serializers.Serializer[None]):
    """A concession to ask for."""

    concession = serializers.SlugField()
    amount = serializers.DecimalField(max_digits=14, decimal_places=2, required=False, allow_null=True, default=None)
    currency = serializers.CharField(max_length=3, default="USD")
    question = serializers.CharField(max_length=400)
    deadline = ApiMoment(
        required=False, allow_null=True, default=None, help_text="Left out: when the case's decision clock is due."
    )
    why_later = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why the deadline may be later than the decision clock.",
    )
    why_unowned = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        default="",
        help_text="Why it is asked before an owner has accepted the case.",
    )
    renewal = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")
    # The beneficiary. Neither the beneficiary nor the beneficiary's managers decide.
    beneficiary = serializers.SlugRelatedField(
        slug_field="email",
        queryset=User.objects.filter(is_active=True, kind=User.PERSON),
        required=False,
        allow_null=True,
        default=None,
    )


class ActionSerializer(serializers.ModelSerializer[Action]):
    """An action of the tracker."""

    owner = serializers.SlugRelatedField(slug_field="email", queryset=User.objects.filter(is_active=True))

    class Meta:
        model = Action
        fields: ClassVar = ["id", "title", "owner", "due_at", "state", "execution", "proof", "done_at"]
        read_only_fields: ClassVar = ["id", "state", "proof", "done_at"]


class DoneSerializer(serializers.Serializer[None]):
    """Proof of an execution action."""

    proof = serializers.CharField(max_length=300, required=False, default="", allow_blank=True)


class ReviewSerializer(serializers.ModelSerializer[Review]):
    """Answers of the review; `sign` true signs it off after writing."""

    sign = serializers.BooleanField(write_only=True, required=False, default=False)
    waive = serializers.CharField(write_only=True, required=False, default="", max_length=300)

    class Meta:
        model = Review
        fields: ClassVar = [
            "state",
            "due_at",
            "timeline_checked",
            "triggered",
            "worked",
            "change",
            "change_target",
            "root_cause",
            "automate",
            "lessons",
            "sign",
            "waive",
        ]
        read_only_fields: ClassVar = ["state", "due_at"]
