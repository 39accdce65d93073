"""A request for a concession: its seats, their mailed links, its decision log, and suggestions."""

import re
from functools import reduce
from operator import or_
from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Prefetch, Q, Subquery, prefetch_related_objects
from django.db.models.functions import Coalesce, Upper
from django.db.models.lookups import IsNull

from accounts.models import Account, Role, User
from approvals.absence.models import Delegation
from approvals.matrix.models import AuthorityVersion
from approvals.requests import visibility
from ledger.models import ChainedRow, ChainParent

# When a request was decided; without a decision, since when its deciders were asked.
LISTED_AT = Coalesce("decided_at", "asked_since")
# The columns that lists filter by: with them in its index, a list reads no row that it does not show.
SEEN = ("state", "confidential", "requester", "account", "decided_by")


class RequestQuerySet(models.QuerySet["ApprovalRequest"]):
    """The business queries of requests."""

    def open(self) -> "RequestQuerySet":
        """Not decided and not recalled."""
        return self.filter(state=ApprovalRequest.OPEN)

    def granted(self) -> "RequestQuerySet":
        """Approved, with conditions or without."""
        return self.filter(state__in=ApprovalRequest.GRANTED)

    def with_people(self) -> "RequestQuerySet":
        """With all relations that a row or a page shows, in one query."""
        return self.select_related("account__csm", "account__ae", "requester", "beneficiary", "decided_by", "authority")

    def with_seats(self) -> "RequestQuerySet":
        """The same with all seats, in one more query."""
        return self.with_people().prefetch_related(Prefetch("seats", queryset=Seat.objects.with_people()))

    def visible_to(self, user: User) -> "RequestQuerySet":
        """The requests a person may see; executives see all. Others see their own requests, requests addressed to them
        or to a person they stand in for now, and the requests of accounts they may open. Only people who asked, were
        asked or decided see a request of a confidential case.
        """
        if user.is_superuser:
            return self
        if user.is_external:
            return self.none()
        scans = visibility.scans(user, Seat.objects.filter(person=user))
        parts = visibility.parts(user, scans=scans, known=Seat.objects.known_to(user), stood_in=_stood_in_for(user))
        if scans:
            return self.filter(reduce(or_, parts))
        # A union of ids, because PostgreSQL reads the whole table for subqueries that are joined by OR.
        first, *more = (ApprovalRequest.objects.filter(part).order_by().values("pk") for part in parts)
        return self.filter(pk__in=first.union(*more))

    def seen_by(self, user: User, request: str) -> IsNull:
        """For a query over few rows of another table: whether the person may see the request in the column `request`."""
        one = self.visible_to(user).filter(pk=OuterRef(request)).order_by().values("pk")[:1]
        return IsNull(Subquery(one), False)

    def waiting_on(self, user: User) -> "RequestQuerySet":
        """Open requests in which this person, or a person they stand in for, is asked to decide or to comment."""
        if user.is_external:
            return self.none()
        own = Seat.objects.asked().filter(person=user).values("request")
        if (theirs := _stood_in_for(user)) is None:
            return self.open().filter(pk__in=own)
        return self.open().filter(Q(pk__in=own) | Q(pk__in=theirs.values("request")) & ~Q(requester=user))


def _stood_in_for(user: User) -> "SeatQuerySet | None":
    """Asked seats that the person may decide by a delegation for a time whose scope covers them; None for a person who
    stands in for nobody."""
    scopes = [each.scope("request__") & Q(person=each.user_id) for each in Delegation.objects.given_to(user)]
    return Seat.objects.asked().deciding().filter(reduce(or_, scopes), stands_for=None) if scopes else None


# The verb with which a question asks for a decision.
ASKING = re.compile(r"^(?:please\s+)?(?:approve|grant)\s+(?=\S)", re.IGNORECASE)


class ApprovalRequest(ChainParent):
    """One ask with its frozen terms. It has no foreign key to a case: the case links to it."""

    OPEN, APPROVED, CONDITIONS, DECLINED, RECALLED = "open", "approved", "conditions", "declined", "recalled"
    REPLACED = "replaced"
    STATES: ClassVar = [
        (OPEN, "Waiting"),
        (APPROVED, "Approved"),
        (CONDITIONS, "Approved with conditions"),
        (DECLINED, "Declined"),
        (RECALLED, "Recalled"),
        (REPLACED, "Replaced by new terms"),
    ]
    GRANTED = (APPROVED, CONDITIONS)
    DECIDED = (APPROVED, CONDITIONS, DECLINED)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="approval_requests")
    case_key = models.CharField(max_length=20, blank=True, db_index=True)
    case_url = models.CharField(max_length=200, blank=True)
    case_title = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=20, blank=True)
    confidential = models.BooleanField(default=False, help_text="The case is visible only to the people named on it.")
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests_made")
    beneficiary = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose deal or target it helps, if not the requester. Never decides.",
    )
    renewal = models.CharField(
        max_length=60, blank=True, help_text="The renewal it belongs to. Asks with the same reference add up."
    )
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        help_text="The request that this one replaces: asked again after a recall, or changed after the decision.",
    )
    concession = models.CharField(max_length=40)
    concession_name = models.CharField(max_length=80)
    unit = models.CharField(max_length=10)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    amount_usd = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    total_usd = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, help_text="Including earlier grants in the window."
    )
    ask = models.TextField(help_text="The question, as one sentence.")
    why_now = models.TextField(blank=True)
    recommendation = models.TextField()
    options = models.JSONField(default=list, help_text="Options weighed: name, trade_off, status_quo, recommended.")
    terms = models.JSONField(default=dict, help_text="Snapshot of the terms to agree to.")
    terms_hash = models.CharField(max_length=64)
    brief = models.JSONField(default=dict, help_text="The frozen brief: version and parts.")
    deadline = models.DateTimeField(help_text="When the decision is due. On a case: as its decision clock.")
    warn_at = models.DateTimeField(help_text="When it warns. On a case: as its decision clock.")
    paused_at = models.DateTimeField(
        null=True, blank=True, help_text="Since when the decision clock of its case is paused."
    )
    authority = models.ForeignKey(AuthorityVersion, on_delete=models.PROTECT, related_name="requests")
    rule = models.JSONField(default=dict, help_text="The limit that applied: role, up_to, sentence.")
    state = models.CharField(max_length=12, choices=STATES, default=OPEN)
    version = models.PositiveIntegerField(
        default=1, help_text="Raised by every change; a decision names the version it saw."
    )
    opened_at = models.DateTimeField(db_index=True)
    asked_since = models.DateTimeField(help_text="When the current deciders were asked.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="requests_decided"
    )
    decided_level = models.SlugField(
        max_length=40,
        blank=True,
        help_text="Level of the role that decided (slug). Empty: a case role, or a rule.",
    )
    by_rule = models.BooleanField(default=False, help_text="Granted by a pre-approved band.")
    conditions = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    sealed_at = models.DateTimeField(
        null=True, blank=True, help_text="Something outside has happened, so undo is not possible."
    )
    objects = RequestQuerySet.as_manager()

    class Meta:
        ordering = ["deadline", "id"]
        indexes = [
            models.Index(fields=["decided_at"], name="request_decided"),
            # Few rows; the authority matrix says how often each band was used.
            models.Index(fields=["decided_at"], condition=Q(by_rule=True), name="request_by_rule"),
            # Only of open ones: nearly all requests are granted, so their states find nothing.
            models.Index(fields=["deadline", "id"], condition=Q(state="open"), name="request_open"),
            # Few rows; the length of a list is that of all without those the person may not see.
            models.Index(fields=["requester"], condition=Q(confidential=True), name="request_confidential"),
            models.Index(fields=["concession", "-decided_at"], name="request_past"),
            models.Index(Upper("renewal"), name="request_renewal"),
            models.Index(fields=["deadline", "id", *SEEN], name="request_by_deadline"),
            # SQLite uses it alone only if it also holds the two columns of the expression.
            models.Index(LISTED_AT.desc(), F("id").desc(), *SEEN, "decided_at", "asked_since", name="request_newest"),
        ]

    def __str__(self) -> str:
        return self.ask

    @property
    def subject(self) -> str:
        """What is granted, without the question: `18% for three years` of `Grant 18% for three years?`."""
        words = str(self.terms.get("summary") or self.ask).strip().rstrip("?").rstrip()
        words = ASKING.sub("", words)
        return words[:1].upper() + words[1:]

    @property
    def is_open(self) -> bool:
        """Whether a decision is still possible."""
        return self.state == self.OPEN

    def all_seats(self) -> "list[Seat]":
        """All seats in order of their numbers, read once and cached until `forget_seats`."""
        if "seats" not in getattr(self, "_prefetched_objects_cache", {}):
            prefetch_related_objects([self], Prefetch("seats", queryset=Seat.objects.with_people()))
        # Not `seats.all()`: that makes a queryset for each look.
        return list(getattr(self, "_prefetched_objects_cache")["seats"])  # noqa: B009

    def forget_seats(self) -> None:
        """Read the seats again next time, because some of them changed."""
        getattr(self, "_prefetched_objects_cache", {}).pop("seats", None)

    @property
    def authority_seat(self) -> "Seat | None":
        """The seat of the authority matrix: the current one, else the last one. None for a request that a band granted."""
        seats = [seat for seat in self.all_seats() if seat.authority]
        return next((seat for seat in seats if seat.state in Seat.CURRENT), seats[-1] if seats else None)

    @property
    def approver(self) -> User | None:
        """The person who decides by the authority matrix. For a committee, its first member."""
        return seat.person if (seat := self.authority_seat) else None

    @property
    def approver_role(self) -> Role | None:
        """The role of the approver."""
        return seat.role if (seat := self.authority_seat) else None

    @property
    def stage(self) -> int:
        """The stage that is being decided, from 1; for a request that has ended, the last one with a decision."""
        deciding = [seat for seat in self.all_seats() if seat.part == Seat.DECIDE]
        if asked := [seat.stage for seat in deciding if seat.state == Seat.ASKED]:
            return min(asked)
        return max((seat.stage for seat in deciding if seat.state == Seat.DECIDED), default=1)

    @property
    def stages(self) -> int:
        """The number of stages, including those not asked yet."""
        return max((seat.stage for seat in self.all_seats() if seat.state in Seat.CURRENT), default=1)


class SeatQuerySet(models.QuerySet["Seat"]):
    """The business queries of seats."""

    def with_people(self) -> "SeatQuerySet":
        """With all people that a page, a mail or a rule needs, in one query."""
        return self.select_related("person", "role", "said_by", "stands_for")

    def planned(self) -> "SeatQuerySet":
        """Asked later, when their stage opens."""
        return self.filter(state=Seat.PLANNED)

    def asked(self) -> "SeatQuerySet":
        """Their answer is waited for now."""
        return self.filter(state=Seat.ASKED)

    def decided(self) -> "SeatQuerySet":
        """They have answered."""
        return self.filter(state=Seat.DECIDED)

    def current(self) -> "SeatQuerySet":
        """Those that count: not handed over, escalated or void."""
        return self.filter(state__in=Seat.CURRENT)

    def deciding(self) -> "SeatQuerySet":
        """Without consulted seats."""
        return self.filter(part=Seat.DECIDE)

    def addressed(self) -> "SeatQuerySet":
        """Seats that were asked, and the planned seat of the authority. For a planned committee that is the seat of its
        first member. Functions and further members see the request when they are asked.
        """
        before = Seat.objects.planned().filter(
            request=OuterRef("request"), authority=True, number__lt=OuterRef("number")
        )
        leads = Q(authority=True) & ~Exists(before)
        return self.filter(~Q(state=Seat.PLANNED) | leads)

    def addressed_to(self, user: User) -> "SeatQuerySet":
        """The same, of one person."""
        return self.addressed().filter(person=user)

    def known_to(self, user: User) -> "SeatQuerySet":
        """Seats that let a person see the request: addressed to them, or decided by them."""
        return self.addressed_to(user) | self.filter(said_by=user)


class Seat(models.Model):
    """One person's part in a request: planned when the request is made, asked when its stage opens, then decided or
    ended.

    Stages are decided one after the other. The groups of a stage are asked together; a group agrees when `quorum` of
    its seats do. Numbers are used once: a seat that is handed over ends, and its successor has the next number.
    """

    PLANNED, ASKED, DECIDED, PASSED_UP, RECALLED = "planned", "asked", "decided", "passed_up", "recalled"
    DELEGATED, VOIDED, SETTLED, REASSIGNED = "delegated", "voided", "settled", "reassigned"
    STATES: ClassVar = [
        (PLANNED, "Planned"),
        (ASKED, "Asked"),
        (DECIDED, "Decided"),
        (PASSED_UP, "Escalated"),
        (RECALLED, "Recalled"),
        (DELEGATED, "Delegated"),
        (VOIDED, "Void because the terms changed"),
        (SETTLED, "Decided without it"),
        (REASSIGNED, "Reassigned"),
    ]
    CURRENT = (PLANNED, ASKED, DECIDED, SETTLED)
    DECIDE, CONSULT = "decide", "consult"
    WAITING = (ASKED, DECIDE)  # state and part of a seat whose decision is waited for
    PARTS: ClassVar = [(DECIDE, "Decides"), (CONSULT, "Is consulted")]
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="seats")
    number = models.PositiveSmallIntegerField()
    stage = models.PositiveSmallIntegerField(help_text="Stages are decided one after the other, from 1.")
    group = models.PositiveSmallIntegerField(help_text="Group within the stage; its seats decide together.")
    part = models.CharField(max_length=8, choices=PARTS, default=DECIDE)
    authority = models.BooleanField(default=False, help_text="Decides by the authority matrix, not as a function.")
    quorum = models.PositiveSmallIntegerField(default=1, help_text="Number of seats of its group that must agree.")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="approval_seats")
    stands_for = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="The delegator whose authority applies, if the seat was delegated.",
    )
    limit = models.CharField(max_length=80, blank=True, help_text="The limit of its role when planned, as text.")
    state = models.CharField(max_length=10, choices=STATES, default=PLANNED)
    asked_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    reminded = models.PositiveSmallIntegerField(default=0)
    verdict = models.CharField(max_length=12, blank=True, help_text="The vote of this seat.")
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    override = models.BooleanField(
        default=False, help_text="A higher authority decided in its place, for the whole group."
    )
    reason = models.TextField(blank=True)
    conditions = models.TextField(blank=True)
    objects = SeatQuerySet.as_manager()

    class Meta:
        ordering = ["number"]
        indexes = [models.Index(fields=["person", "state", "request"], name="seat_of_person")]
        constraints = [
            models.UniqueConstraint(fields=["request", "number"], name="seat_once"),
            models.CheckConstraint(
                condition=Q(state="planned", asked_at__isnull=True) | ~Q(state="planned") & Q(asked_at__isnull=False),
                name="seat_planned_or_asked",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.number}: {self.person} as {self.role}"

    @property
    def waits(self) -> bool:
        """Whether its decision is waited for now."""
        return (self.state, self.part) == self.WAITING

    @property
    def decides_now_or_later(self) -> bool:
        """Whether its decision counts: it was given, is waited for or is asked later."""
        return self.part == self.DECIDE and self.state in self.CURRENT


class DecisionLink(models.Model):
    """A link mailed to an approver. It leads to the page and decides nothing. It ends on use or change. Only a hash is
    kept."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="links")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    seat = models.ForeignKey(Seat, on_delete=models.PROTECT, related_name="links")
    version = models.PositiveIntegerField()
    purpose = models.CharField(max_length=12, default="decide")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    dead_since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Link of {self.request_id} for {self.approver}"


class DecisionEntry(ChainedRow):
    """One event of a request. Append-only, in one hash chain per request."""

    ASKED, QUESTION, ANSWER, REMINDED, PASSED_UP = "asked", "question", "answer", "reminded", "passed_up"
    APPROVED, CONDITIONS, DECLINED, RECALLED, UNDONE, SEALED = (
        "approved",
        "conditions",
        "declined",
        "recalled",
        "undone",
        "sealed",
    )
    VOTE, COMMENT, DELEGATED, AMENDED, VOIDED, REPLACED, REASSIGNED = (
        "vote",
        "comment",
        "delegated",
        "amended",
        "voided",
        "replaced",
        "reassigned",
    )
    KINDS: ClassVar = [
        (ASKED, "Asked"),
        (QUESTION, "Question"),
        (ANSWER, "Answer"),
        (REMINDED, "Reminded"),
        (PASSED_UP, "Escalated"),
        (APPROVED, "Approved"),
        (CONDITIONS, "Approved with conditions"),
        (DECLINED, "Declined"),
        (RECALLED, "Recalled"),
        (UNDONE, "Undone"),
        (SEALED, "Final: carried out or promised"),
        (VOTE, "Voted for one seat"),
        (COMMENT, "Comment"),
        (DELEGATED, "Delegated"),
        (AMENDED, "Terms changed"),
        (VOIDED, "Approval void: the terms changed for the worse"),
        (REPLACED, "Replaced by new terms"),
        (REASSIGNED, "Reassigned"),
    ]
    WEB, API, LINK, MAIL, RULE, CLOCK = "web", "api", "link", "mail", "rule", "clock"
    CHANNELS: ClassVar = [
        (WEB, "Browser"),
        (API, "API"),
        (LINK, "E-mail link"),
        (MAIL, "E-mail reply"),
        (RULE, "Rule"),
        (CLOCK, "Clock"),
    ]
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="log")
    kind = models.CharField(max_length=12, choices=KINDS)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    on_behalf_of = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    channel = models.CharField(max_length=8, choices=CHANNELS)
    role = models.CharField(max_length=80, blank=True)
    limit = models.CharField(max_length=80, blank=True)
    rule_version = models.PositiveIntegerField(null=True, blank=True)
    seat = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Number of the seat it is about.")
    terms_hash = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=list, blank=True)
    rationale = models.TextField(blank=True)
    conditions = models.TextField(blank=True)
    override = models.BooleanField(default=False, help_text="Against the recommendation, or in place of the approver.")
    facts = models.JSONField(
        default=dict, blank=True, help_text="More, by kind: verdict of a vote, terms before and after, the delegation."
    )

    class Meta:
        ordering = ["request", "seq"]
        verbose_name_plural = "decision entries"
        constraints = [models.UniqueConstraint(fields=["request", "seq"], name="decision_entry_seq")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.request_id}.{self.seq})"

    def content(self) -> dict[str, Any]:
        """The values that the chain signs."""
        names = ("kind", "actor_id", "on_behalf_of_id", "channel", "role", "limit", "rule_version", "seat")
        more = ("terms_hash", "options", "rationale", "conditions", "override", "facts")
        return {name: getattr(self, name) for name in names + more}


class Suggestion(models.Model):
    """A proposed resolution of a request with its reasons; accepted, changed or rejected by the person who decided."""

    SHOWN, ACCEPTED, CHANGED, REJECTED = "shown", "accepted", "changed", "rejected"
    OUTCOMES: ClassVar = [
        (SHOWN, "Not answered yet"),
        (ACCEPTED, "Accepted"),
        (CHANGED, "Changed"),
        (REJECTED, "Rejected"),
    ]
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="suggestions")
    rule = models.CharField(max_length=40, help_text="The rule that proposed it.")
    rule_version = models.PositiveSmallIntegerField(default=1, help_text="Version of that rule's code and figures.")
    authority = models.ForeignKey(AuthorityVersion, on_delete=models.PROTECT, related_name="+")
    verdict = models.CharField(max_length=12)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    conditions = models.TextField(blank=True)
    reasons = models.JSONField(default=list, help_text="Sentences, strongest first.")
    certainty = models.PositiveSmallIntegerField(help_text="0 to 100.")
    made_at = models.DateTimeField()
    outcome = models.CharField(max_length=8, choices=OUTCOMES, default=SHOWN)
    answered_at = models.DateTimeField(null=True, blank=True)
    answered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True, help_text="Why it was changed or rejected.")

    class Meta:
        ordering = ["-made_at", "-id"]
        indexes = [models.Index(fields=["rule", "rule_version", "outcome"], name="suggestion_outcome")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.verdict} ({self.get_outcome_display().lower()})"
