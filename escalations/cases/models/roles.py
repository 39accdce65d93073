"""People on a case: RACI letters, the named duties, hand-offs, watchers."""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Role
from escalations import states
from escalations.cases.models.escalation import Escalation


class CasePerson(models.Model):
    """A person on a case with one letter and at most one duty."""

    OWNER, AUTHORITY, COMMUNICATION, SCRIBE = "owner", "authority", "communication", "scribe"
    DUTIES: ClassVar = [
        (OWNER, "Escalation owner"),
        (AUTHORITY, "Decision authority"),
        (COMMUNICATION, "Communication lead"),
        (SCRIBE, "Scribe"),
    ]
    LETTERS: ClassVar = [("R", "Responsible"), ("A", "Accountable"), ("C", "Consulted"), ("I", "Informed")]
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="people")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="case_duties")
    role = models.ForeignKey(Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    duty = models.CharField(max_length=16, choices=DUTIES, blank=True)
    letter = models.CharField(max_length=1, choices=LETTERS)
    since = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(fields=["case"], condition=Q(letter="A"), name="one_accountable_a_case"),
            models.UniqueConstraint(fields=["case", "duty"], condition=~Q(duty=""), name="one_person_a_duty"),
            models.UniqueConstraint(fields=["case", "user", "duty"], name="person_duty_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.get_duty_display() or self.get_letter_display()}"


class HandOff(models.Model):
    """A person is asked to take a duty; it counts only when accepted."""

    WAITING, ACCEPTED, REFUSED, EXPIRED, REPLACED = "waiting", "accepted", "refused", "expired", "replaced"
    STATES: ClassVar = [
        (WAITING, "Waiting"),
        (ACCEPTED, "Accepted"),
        (REFUSED, "Refused"),
        (EXPIRED, "Not answered in time"),
        (REPLACED, "Replaced by a newer one"),
    ]
    case = models.ForeignKey(Escalation, on_delete=models.PROTECT, related_name="handoffs")
    number = models.PositiveSmallIntegerField()
    from_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="handoffs_sent"
    )
    to_user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="handoffs_received")
    to_role = models.ForeignKey(Role, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    duty = models.CharField(max_length=16, choices=CasePerson.DUTIES, default=CasePerson.OWNER)
    level = models.PositiveSmallIntegerField(help_text="Rank of the level in the policy of the case.")
    kind = models.CharField(max_length=12, choices=states.TYPES)
    state = models.CharField(max_length=10, choices=STATES, default=WAITING)
    why = models.CharField(max_length=300, blank=True)
    tried = models.TextField(blank=True)
    open_points = models.TextField(blank=True)
    ask = models.TextField(blank=True)
    brief = models.ForeignKey("BriefSnapshot", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sent_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    answered_at = models.DateTimeField(null=True, blank=True)
    first_act_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["case", "number"]
        indexes = [models.Index(fields=["sent_at"], name="handoff_sent")]
        constraints = [
            models.UniqueConstraint(fields=["case", "number"], name="handoff_number_once"),
            models.UniqueConstraint(
                fields=["case", "duty"], condition=Q(state="waiting"), name="one_waiting_handoff_a_duty"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.case_id}.{self.number} to {self.to_user}"

    @property
    def state_words(self) -> str:
        """The state in words; a hand-off that ended with its case has a reason."""
        return "Ended" if self.state == self.REPLACED and self.reason else self.get_state_display()

    def get_level_display(self) -> str:
        """Name of the level in the policy of the case."""
        return self.case.policy.ladder.name(self.level)
