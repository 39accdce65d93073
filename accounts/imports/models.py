"""Staged imports: a file is read into rows, checked, then applied row by row."""

from typing import ClassVar

from django.conf import settings
from django.db import models

from accounts.people.models import User
from ledger.models import StoredFile


class ImportMapping(models.Model):
    """A remembered column mapping: which header fills which field."""

    name = models.CharField(max_length=80)
    kind = models.CharField(max_length=16)
    columns = models.JSONField(help_text="Field to header.")
    headers = models.CharField(max_length=64, help_text="Fingerprint of the header row this mapping fits.")
    default_currency = models.CharField(max_length=3, blank=True)
    saved_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["kind", "name"], name="mapping_name_once")]

    def __str__(self) -> str:
        return self.name


class ImportRunQuerySet(models.QuerySet["ImportRun"]):
    """The business queries of imports."""

    def visible_to(self, user: User) -> "ImportRunQuerySet":
        """Operations see all imports, others none."""
        return self if user.is_ops else self.none()


class ImportRun(models.Model):
    """One uploaded file and its import."""

    STAGED, RUNNING, DONE, STOPPED = "staged", "running", "done", "stopped"
    STATES: ClassVar = [(STAGED, "Ready to import"), (RUNNING, "Running"), (DONE, "Done"), (STOPPED, "Stopped")]
    ACCOUNTS, SUBSCRIPTIONS, CONTACTS = "accounts", "subscriptions", "contacts"
    DATES: ClassVar = [("dmy", "Day first: 31/12/2026"), ("mdy", "Month first: 12/31/2026")]
    DECIMALS: ClassVar = [(".", "Point: 1,234.50"), (",", "Comma: 1.234,50")]
    KINDS: ClassVar = [(ACCOUNTS, "Accounts"), (SUBSCRIPTIONS, "Subscriptions"), (CONTACTS, "Contacts")]

    file = models.ForeignKey(StoredFile, on_delete=models.PROTECT)
    filename = models.CharField(max_length=255)
    kind = models.CharField(max_length=16, choices=KINDS)
    source = models.CharField(max_length=40)
    columns = models.JSONField(default=dict, help_text="Field to header.")
    headers = models.JSONField(default=list)
    default_currency = models.CharField(max_length=3, blank=True)
    encoding = models.CharField(max_length=20, blank=True, help_text="How the letters of the file are read.")
    dates = models.CharField(max_length=3, choices=DATES, blank=True, help_text="Empty: as the file shows.")
    decimals = models.CharField(max_length=1, choices=DECIMALS, blank=True, help_text="Empty: as the file shows.")
    state = models.CharField(max_length=10, choices=STATES, default=STAGED)
    total = models.PositiveIntegerField(default=0)
    applied = models.PositiveIntegerField(
        default=0, help_text="Rows processed so far; an interrupted run continues here."
    )
    created = models.PositiveIntegerField(default=0)
    updated = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT)
    at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    objects = ImportRunQuerySet.as_manager()

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return self.filename


class ImportProblem(models.Model):
    """A row that was not imported: place, value, how to fix it."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="problems")
    row = models.PositiveIntegerField(help_text="Line of the file; the header is line 1.")
    ref = models.CharField(max_length=120, blank=True)
    column = models.CharField(max_length=120, blank=True)
    value = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300)

    class Meta:
        ordering = ["row", "id"]

    def __str__(self) -> str:
        return f"Row {self.row}: {self.reason}"
