"""The decision log: append-only, chained per request."""

from typing import Any, ClassVar

from django.conf import settings
from django.db import models

from approvals.requests.models.request import ApprovalRequest
from ledger.models import ChainedRow


class DecisionEntry(ChainedRow):
    """One thing that happened to a request: asked, question, answered, approved, declined, recalled, passed up, undone."""

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
        (PASSED_UP, "Passed up"),
        (APPROVED, "Approved"),
        (CONDITIONS, "Approved with conditions"),
        (DECLINED, "Declined"),
        (RECALLED, "Recalled"),
        (UNDONE, "Undone"),
        (SEALED, "Final: something outside has happened"),
        (VOTE, "Said yes or no for one seat"),
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
    step = models.PositiveSmallIntegerField(default=1)
    terms_hash = models.CharField(max_length=64, blank=True)
    options = models.JSONField(default=list, blank=True)
    rationale = models.TextField(blank=True)
    conditions = models.TextField(blank=True)
    override = models.BooleanField(
        default=False, help_text="Against the recommendation, or over the head of the approver."
    )
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
        """What the chain signs."""
        names = ("kind", "actor_id", "on_behalf_of_id", "channel", "role", "limit", "rule_version", "step")
        more = ("terms_hash", "options", "rationale", "conditions", "override")
        signed = {name: getattr(self, name) for name in names + more}
        # Left out when empty, so that entries from before the field existed still verify.
        return {**signed, "facts": self.facts} if self.facts else signed
