"""The case itself: facts, state, level, people, caches. Only `cases.lifecycle.move` changes the state."""

from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import models
from django.utils.functional import cached_property
from django_fsm import FSMField, FSMModelMixin, transition

from accounts.models import Account, Signal, User
from approvals.models import ApprovalRequest
from escalations import states
from escalations.cases.models.access import CaseAccess, may_see
from escalations.clocks.rules.clock import RUNNING, status
from escalations.policy.models import IssueType, MatrixRow, PolicyVersion
from ledger.models import ChainParent
from ledger.search.index import Hits, SearchableQuerySet

if TYPE_CHECKING:
    from escalations.clocks.book import Book
    from escalations.clocks.models import Clock


class EscalationQuerySet(SearchableQuerySet["Escalation"]):
    """The business queries of cases."""

    def open(self) -> "EscalationQuerySet":
        """Cases with open work."""
        return self.filter(state__in=states.OPEN)

    def found_by(self, user: User, text: str, most: int) -> Hits:
        """The cases with all these words that this person may see, open ones first: the newest `most`, the best first."""
        cases, is_open = Escalation.objects.all(), models.Q(state__in=states.OPEN)
        if CaseAccess.sees_few(user):
            seen = self.visible_to(user)
            found = cases.best(text, most, first=is_open, within=seen)
        else:
            seen = self.visible_to(user, few=True)
            found = seen.best(text, most, first=is_open)
        if not found.more:
            return found
        # Open cases may be older than the newest hits.
        opened = seen.best(text, most, within=cases.open())
        known = set(opened.ids)
        others = [pk for pk in found.ids if pk not in known]
        return Hits([*opened.ids, *others][:most], more=True)

    def visible_to(self, user: User, *, few: bool = False) -> "EscalationQuerySet":
        """The cases this person may see. `few`: for queries of open cases or of one case, see `may_see`."""
        return self.filter(may_see(user, few=few))


class Escalation(FSMModelMixin, ChainParent):
    """One executive escalation, ESC-1001 upward. Nothing is deleted."""

    state = FSMField(choices=states.STATES, default=states.NEW, protected=True)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="escalations")
    policy = models.ForeignKey(PolicyVersion, on_delete=models.PROTECT, related_name="escalations")
    issue_type = models.ForeignKey(IssueType, on_delete=models.PROTECT, related_name="escalations")
    title = models.CharField(max_length=160)
    issue = models.TextField(help_text="One to three sentences.")
    impact = models.TextField(blank=True)
    requested_support = models.TextField(blank=True)
    blocker = models.BooleanField(default=False, help_text="Something blocks the renewal or the signature.")
    executive_complaint = models.BooleanField(default=False)
    security = models.BooleanField(default=False)
    legal = models.BooleanField(default=False)
    concession = models.CharField(max_length=40, blank=True, help_text="The requested concession (slug).")
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, default="USD")
    arr_at_risk = models.DecimalField(max_digits=14, decimal_places=2, default=Decimal(0))
    arr_currency = models.CharField(max_length=3, default="USD")
    deadline = models.DateTimeField(null=True, blank=True, help_text="When the customer needs an answer.")
    impasse_at = models.DateTimeField(help_text="When progress stopped; may be before the case was opened.")
    opened_at = models.DateTimeField(db_index=True)
    opened_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="opened_cases"
    )
    signal = models.ForeignKey(Signal, null=True, blank=True, on_delete=models.PROTECT, related_name="cases")
    trigger = models.CharField(max_length=40, blank=True, help_text="Rule that opened it; empty: a person.")
    trigger_text = models.CharField(max_length=300, blank=True)
    confidential = models.BooleanField(default=False)

    tier = models.CharField(max_length=10, choices=states.TIERS, default=states.GREEN)
    lane = models.CharField(max_length=12, choices=states.LANES, default=states.GUARDRAILED)
    level = models.PositiveSmallIntegerField(
        default=1, db_index=True, help_text="Rank of the level in the policy of the case."
    )
    level_since = models.DateTimeField(null=True, blank=True)
    kind = models.CharField(max_length=12, choices=states.TYPES, default=states.HIERARCHICAL)
    score = models.PositiveSmallIntegerField(default=0)
    score_parts = models.JSONField(default=list, help_text="name, points, why.")
    triage_reasons = models.JSONField(default=list)
    route_reasons = models.JSONField(default=list)
    matrix_row = models.ForeignKey(MatrixRow, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    authority_reason = models.CharField(max_length=300, blank=True)

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="owned_cases"
    )
    waiting_on = models.CharField(max_length=12, choices=states.WAITING_ON, default=states.NOBODY)
    status_text = models.TextField(blank=True)
    status_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    status_at = models.DateTimeField(null=True, blank=True)
    next_update_at = models.DateTimeField(null=True, blank=True)
    version = models.PositiveIntegerField(default=1)
    requests = models.ManyToManyField(ApprovalRequest, through="CaseRequest", related_name="cases")

    decided_at = models.DateTimeField(null=True, blank=True)
    decided_level = models.SlugField(max_length=40, blank=True, help_text="Slug of the level that decided last.")
    resolved_at = models.DateTimeField(null=True, blank=True, db_index=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    reopened_count = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(max_length=20, choices=states.OUTCOMES, blank=True)
    root_cause = models.CharField(max_length=120, blank=True)
    resolution = models.TextField(blank=True)
    duplicate_of = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="duplicates")

    # Cache of the worst running clock, written by clocks.verbs whenever a clock changes (queue sort and chip).
    sla_due_at = models.DateTimeField(null=True, blank=True, db_index=True)
    sla_warn_at = models.DateTimeField(null=True, blank=True)
    sla_clock = models.CharField(max_length=20, blank=True)
    sla_paused_at = models.DateTimeField(null=True, blank=True)

    # Set while `clocks.book.together` collects changes of clocks for this instance.
    book: "Book | None" = None
    objects = EscalationQuerySet.as_manager()

    class Meta:
        ordering = ["-id"]
        indexes = [
            # All that the queue counts, filters and sorts by, so that it reads few pages for thousands of open cases.
            models.Index(
                fields=[
                    *("state", "sla_due_at", "sla_warn_at", "sla_paused_at", "arr_at_risk", "arr_currency", "level"),
                    *("policy", "issue_type", "owner", "account", "waiting_on", "confidential", "kind", "lane", "tier"),
                ],
                name="case_queue",
            ),
            models.Index(fields=["tier"], name="case_tier"),
            # Figures leave out the confidential cases on which a person is not named.
            models.Index(fields=["id"], condition=models.Q(confidential=True), name="case_confidential"),
            # All that counting the open cases of a person reads, without the rows.
            models.Index(fields=["state", "confidential", "id"], name="case_seen"),
            models.Index(fields=["owner", "state"], name="case_owner"),
        ]

    def __str__(self) -> str:
        return f"{self.key} {self.title}"

    @property
    def key(self) -> str:
        """ESC-1042."""
        return f"ESC-{self.pk}"

    @property
    def level_slug(self) -> str:
        """Slug of the level, the same in every version of the policy."""
        return self.policy.ladder.slug(self.level)

    def get_level_display(self) -> str:
        """Name of the level in the policy of the case."""
        return self.policy.ladder.name(self.level)

    @property
    def stage(self) -> str:
        """Diagnose, Reassign, Approve or Execute."""
        return states.STAGE_OF[self.state]

    @property
    def is_open(self) -> bool:
        """Whether work goes on."""
        return self.state in states.OPEN

    def sla_status(self, at: datetime) -> str:
        """Code of the SLA chip of the worst running clock: red, yel, grn, pau, or '' when none runs."""
        state = RUNNING if self.sla_due_at else ""
        return status(at, state=state, due_at=self.sla_due_at, warn_at=self.sla_warn_at, paused_at=self.sla_paused_at)

    @cached_property
    def decision_clock(self) -> "Clock | None":
        """The decision clock that runs or is paused, read once; `clocks.verbs` sets it when the clock takes a step."""
        return self.clocks.live().filter(kind=states.DECISION).select_related("calendar").first()

    @property
    def has_undecided_concession(self) -> bool:
        """Whether it asks for a concession, and no request for one was decided or recalled."""
        over = (*ApprovalRequest.DECIDED, ApprovalRequest.RECALLED)
        return bool(self.concession) and not self.requests.filter(state__in=over).exists()

    # The transition table, with one method for each move; docs/states.md is generated from it.
    @transition(field=state, source=states.NEW, target=states.TRIAGED)
    def triage(self) -> None:
        """Score, tier and lane are set."""

    @transition(
        field=state,
        source=[states.TRIAGED, states.HANDED_OFF, states.DIAGNOSING, states.APPROVING, states.EXECUTING],
        target=states.HANDED_OFF,
    )
    def hand_off(self) -> None:
        """A person is asked to take it. Ownership does not change until they accept."""

    @transition(field=state, source=states.HANDED_OFF, target=states.DIAGNOSING)
    def accept(self) -> None:
        """The new owner accepted it."""

    @transition(field=state, source=states.HANDED_OFF, target=states.TRIAGED)
    def give_back(self) -> None:
        """The hand-off was refused or expired; the case is routed again."""

    @transition(field=state, source=[states.DIAGNOSING, states.EXECUTING, states.HANDED_OFF], target=states.APPROVING)
    def ask(self) -> None:
        """A concession was requested and waits for a decision."""

    @transition(field=state, source=[states.DIAGNOSING, states.APPROVING], target=states.EXECUTING)
    def execute(self) -> None:
        """Decided, or no decision needed (with a reason): the agreement is carried out."""

    @transition(field=state, source=states.APPROVING, target=states.DIAGNOSING)
    def rework(self) -> None:
        """Declined or recalled: the case returns to Diagnose."""

    @transition(field=state, source=states.EXECUTING, target=states.RESOLVED)
    def resolve(self) -> None:
        """Systems updated, customer told."""

    @transition(field=state, source=states.RESOLVED, target=states.IN_REVIEW)
    def review(self) -> None:
        """The post-escalation review has begun."""

    @transition(field=state, source=[states.RESOLVED, states.IN_REVIEW], target=states.CLOSED)
    def close(self) -> None:
        """Review done, or waived with a reason."""

    @transition(
        field=state,
        source=[states.RESOLVED, states.IN_REVIEW, states.CLOSED, states.WITHDRAWN],
        target=states.DIAGNOSING,
    )
    def reopen(self) -> None:
        """The same issue is back."""

    @transition(field=state, source=list(states.OPEN), target=states.WITHDRAWN)
    def withdraw(self) -> None:
        """The case is no longer wanted."""

    @transition(field=state, source=list(states.OPEN), target=states.DUPLICATE)
    def mark_duplicate(self) -> None:
        """Another case covers the issue."""


class CaseRequest(models.Model):
    """Link between a case and its requests; approvals do not know cases."""

    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="case_requests")
    request = models.OneToOneField(ApprovalRequest, on_delete=models.PROTECT, related_name="case_link")

    def __str__(self) -> str:
        return f"{self.case_id}: {self.request_id}"
