"""A request for a concession, the person it waits on, and the links sent to them."""

from functools import reduce
from operator import or_
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Account, Role, User
from approvals.absence.models import Delegation
from approvals.matrix.models import AuthorityVersion
from ledger.models import ChainParent
from ledger.now import now


class RequestQuerySet(models.QuerySet["ApprovalRequest"]):
    """Requests in business words."""

    def open(self) -> "RequestQuerySet":
        """Not decided and not taken back."""
        return self.filter(state=ApprovalRequest.OPEN)

    def visible_to(self, user: User) -> "RequestQuerySet":
        """Own requests, those addressed or once addressed to them or to whom they stand in for now, those of accounts they
        may open; executives all.

        A request of a confidential case is for those who asked, were asked or decided only.
        """
        part = Q(requester=user) | Q(approver=user) | Q(decided_by=user) | Q(steps__approver=user)
        part |= Q(steps__said_by=user) | _stood_in_for(user)
        if user.sees == Role.ALL:
            own = ApprovalRequest.objects.filter(part).values("pk")
            return self if user.is_superuser else self.filter(Q(confidential=False) | Q(pk__in=own))
        others = _of_accounts(user) if user.is_superuser else Q(_of_accounts(user), confidential=False)
        return self.filter(pk__in=ApprovalRequest.objects.filter(part | others).values("pk"))

    def waiting_on(self, user: User) -> "RequestQuerySet":
        """Open, with a seat of this person or of somebody they stand in for that waits: to decide, or to comment."""
        own = ApprovalStep.objects.filter(approver=user, state=ApprovalStep.WAITING).values("request")
        return self.open().filter(Q(pk__in=own) | (_stood_in_for(user) & ~Q(requester=user)))


def _of_accounts(user: User) -> Q:
    """Requests of accounts the person may open, and those made by people they lead."""
    if user.sees != Role.TREE:
        return Q(account__csm=user) | Q(account__ae=user)
    led = user.tree_ids
    return Q(requester__in=led) | Q(account__csm__in=led) | Q(account__ae__in=led)


def _stood_in_for(user: User) -> Q:
    """Requests with a waiting seat that the person may decide in somebody's place, by a dated delegation that takes it in."""
    # Asked first, because hardly anybody stands in for somebody, and every list of requests asks.
    given = Delegation.objects.in_force(now()).filter(to=user)
    scopes = [each.scope("request__") & Q(approver=each.user_id) for each in given]
    if not scopes:
        return Q(pk__in=())
    seats = ApprovalStep.objects.filter(reduce(or_, scopes), state=ApprovalStep.WAITING, part=ApprovalStep.DECIDE)
    return Q(pk__in=seats.filter(delegated_from=None).values("request"))


class ApprovalRequest(ChainParent):
    """One ask, with the terms frozen when it was made. No foreign key to a case: the case links to it."""

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
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="approval_requests")
    case_key = models.CharField(max_length=20, blank=True, db_index=True)
    case_url = models.CharField(max_length=200, blank=True)
    case_title = models.CharField(max_length=200, blank=True)
    tier = models.CharField(max_length=20, blank=True)
    confidential = models.BooleanField(default=False, help_text="Its case is for the people named on it only.")
    requester = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests_made")
    beneficiary = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose deal or target gains by it, when that is not the requester. Never decides.",
    )
    renewal = models.CharField(max_length=60, blank=True, help_text="The renewal it belongs to; the same one adds up.")
    replaces = models.ForeignKey(
        "self",
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="replaced_by",
        help_text="The request whose terms these replace: asked again after a recall, or changed after the decision.",
    )
    concession = models.CharField(max_length=40)
    concession_name = models.CharField(max_length=80)
    unit = models.CharField(max_length=10)
    amount = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    currency = models.CharField(max_length=3, blank=True)
    amount_usd = models.DecimalField(max_digits=14, decimal_places=2, null=True, blank=True)
    total_usd = models.DecimalField(
        max_digits=14, decimal_places=2, null=True, blank=True, help_text="With what was granted before in the window."
    )
    ask = models.TextField(help_text="The question, as one sentence.")
    why_now = models.TextField(blank=True)
    recommendation = models.TextField()
    options = models.JSONField(default=list, help_text="Options weighed: name, trade_off, status_quo, recommended.")
    terms = models.JSONField(default=dict, help_text="Snapshot of what would be agreed to.")
    terms_hash = models.CharField(max_length=64)
    brief = models.JSONField(default=dict, help_text="The frozen brief: version and parts.")
    deadline = models.DateTimeField()
    authority = models.ForeignKey(AuthorityVersion, on_delete=models.PROTECT, related_name="requests")
    rule = models.JSONField(default=dict, help_text="The limit that applied: role, up_to, sentence.")
    chain = models.JSONField(
        default=list, help_text="The stages as they were frozen: name, quorum, need, seats with role, person and part."
    )
    stage = models.PositiveSmallIntegerField(default=1, help_text="The stage of the chain that is being decided.")
    state = models.CharField(max_length=12, choices=STATES, default=OPEN, db_index=True)
    step = models.PositiveSmallIntegerField(default=1)
    version = models.PositiveIntegerField(
        default=1, help_text="Bumped by every change; a decision names the one it saw."
    )
    approver = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="requests_to_decide"
    )
    approver_role = models.ForeignKey(Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    opened_at = models.DateTimeField(db_index=True)
    step_since = models.DateTimeField(help_text="When the present approver got it.")
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="requests_decided"
    )
    decided_level = models.SlugField(
        max_length=40,
        blank=True,
        help_text="Level of the role that decided (slug); empty: a role that works cases, or a rule.",
    )
    by_rule = models.BooleanField(default=False, help_text="Granted by a pre-approved band.")
    conditions = models.TextField(blank=True)
    reason = models.TextField(blank=True)
    sealed_at = models.DateTimeField(null=True, blank=True, help_text="Something outside has happened: no undo.")
    objects = RequestQuerySet.as_manager()

    class Meta:
        ordering = ["deadline", "id"]
        indexes = [models.Index(fields=["decided_at"], name="request_decided")]

    def __str__(self) -> str:
        return self.ask

    @property
    def is_open(self) -> bool:
        """Whether a decision is still possible."""
        return self.state == self.OPEN


class ApprovalStep(models.Model):
    """Who was asked, in which role, from when to when."""

    WAITING, DECIDED, PASSED_UP, RECALLED = "waiting", "decided", "passed_up", "recalled"
    DELEGATED, VOIDED, SETTLED, REASSIGNED = "delegated", "voided", "settled", "reassigned"
    STATES: ClassVar = [
        (WAITING, "Waiting"),
        (DECIDED, "Decided"),
        (PASSED_UP, "Passed up"),
        (RECALLED, "Recalled"),
        (DELEGATED, "Delegated"),
        (VOIDED, "Void: the terms changed"),
        (SETTLED, "Settled without it"),
        (REASSIGNED, "Reassigned"),
    ]
    DECIDE, CONSULT = "decide", "consult"
    PARTS: ClassVar = [(DECIDE, "Decides"), (CONSULT, "Is consulted")]
    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="steps")
    order = models.PositiveSmallIntegerField()
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="approval_steps")
    role = models.ForeignKey(Role, on_delete=models.PROTECT, related_name="+")
    limit = models.CharField(max_length=80, blank=True, help_text="The limit of this role when asked, in words.")
    state = models.CharField(max_length=10, choices=STATES, default=WAITING)
    asked_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    reminded = models.PositiveSmallIntegerField(default=0)
    stage = models.PositiveSmallIntegerField(default=1, help_text="The stage of the chain this seat belongs to.")
    part = models.CharField(max_length=8, choices=PARTS, default=DECIDE)
    verdict = models.CharField(max_length=12, blank=True, help_text="What this seat said, when it has.")
    said_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="+"
    )
    reason = models.TextField(blank=True)
    conditions = models.TextField(blank=True)
    delegated_from = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        help_text="Whose authority it is, when this one was delegated.",
    )

    class Meta:
        ordering = ["order"]
        constraints = [models.UniqueConstraint(fields=["request", "order"], name="step_once")]

    def __str__(self) -> str:
        return f"{self.order}: {self.approver} as {self.role}"


class DecisionLink(models.Model):
    """A locator mailed to an approver: finds the page, decides nothing. Stored hashed, dies on use or change."""

    request = models.ForeignKey(ApprovalRequest, on_delete=models.PROTECT, related_name="links")
    approver = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    step = models.PositiveSmallIntegerField()
    version = models.PositiveIntegerField()
    purpose = models.CharField(max_length=12, default="decide")
    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()
    dead_since = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"Link of {self.request_id} for {self.approver}"
