"""Models without a business noun: the append-only chain, idempotency keys, stored files, heartbeats, the test clock."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Self, TypeVar

from django.conf import settings
from django.db import models

from ledger.prepared import PreparedRows
from ledger.search.rules import joined


class ChainedRow(models.Model):
    """Abstract entry of an append-only log. One chain per parent; `seq` counts from 1 without a gap.

    `digest` is an HMAC over the parent, the sequence number, the content and the digest before it, made with a key that
    lives outside the database (`key_id` names which). Triggers forbid UPDATE and DELETE of these tables.
    """

    seq = models.PositiveIntegerField(editable=False)
    at = models.DateTimeField(editable=False)
    content_digest = models.CharField(max_length=64, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    key_id = models.CharField(max_length=32, editable=False)

    class Meta:
        abstract = True

    def content(self) -> Mapping[str, object]:
        """The values that the chain signs: plain JSON."""
        raise NotImplementedError

    @classmethod
    def save_related(cls, rows: Sequence[Self]) -> None:
        """Save rows that these entries refer to and that have no id yet; called before the entries are signed."""


@dataclass
class Unwritten:
    """The entries and the names of changed fields of a chain's parent that are not written yet."""

    rows: list[ChainedRow] = field(default_factory=list)
    fields: set[str] = field(default_factory=set)


class ChainParent(models.Model):
    """Abstract owner of a chain: the number of entries, the last digest, and an HMAC over both, so that a cut tail is
    detected."""

    # Set while `chain.together` collects rows for this instance.
    unwritten: Unwritten | None = None
    log_count = models.PositiveIntegerField(default=0, editable=False)
    log_last = models.CharField(max_length=64, default="", editable=False)
    log_seal = models.CharField(max_length=64, default="", editable=False)

    class Meta:
        abstract = True

    @property
    def is_new(self) -> bool:
        """Whether no entry is written yet. Then nothing else that belongs to it is in the database, because every change is
        an entry."""
        return not self.log_count


V = TypeVar("V", bound="Version")


class VersionQuerySet(models.QuerySet[V]):
    """The business queries of versions."""

    def in_force(self, at: datetime) -> Self:
        """The published version in force at that moment, as one row at most: `filter(version=…)` takes it."""
        found = self.filter(state=Version.PUBLISHED, effective_from__lte=at)
        return found.order_by("-effective_from", "-id")[:1]


class VersionManager(models.Manager.from_queryset(VersionQuerySet)):  # type: ignore[misc]
    """All versions."""

    def current(self, at: datetime) -> Any:  # `Any`, as mypy does not know the model of a manager made so
        """The version in force, or None."""
        return next(iter(_in_force(self.model).read(at)), None)


class Version(models.Model):
    """Abstract version of rules that people administer: first a draft, then published by a second person and never
    changed again."""

    DRAFT, PUBLISHED, RETIRED = "draft", "published", "retired"
    STATES: ClassVar = [(DRAFT, "Draft"), (PUBLISHED, "Published"), (RETIRED, "Retired")]
    number = models.PositiveIntegerField(unique=True)
    state = models.CharField(max_length=10, choices=STATES, default=DRAFT)
    note = models.CharField(max_length=300, blank=True, help_text="Why this version was made.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)s_drafts"
    )
    created_at = models.DateTimeField()
    publisher = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="%(class)s_published"
    )
    published_at = models.DateTimeField(null=True, blank=True)
    effective_from = models.DateTimeField(null=True, blank=True)
    based_on = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT)
    objects = VersionManager()

    class Meta:
        abstract = True
        ordering: ClassVar = ["-number"]


class IdempotencyKey(models.Model):
    """A request that must be done once: same scope and key, same answer."""

    scope = models.CharField(max_length=120)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    answer = models.JSONField(null=True)
    status = models.PositiveSmallIntegerField(null=True)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["scope", "key"], name="idempotency_once")]

    def __str__(self) -> str:
        return f"{self.scope}: {self.key}"


class StoredFile(models.Model):
    """A file kept once by its SHA-256 under the private media root; served only through access-checked views."""

    PRIVATE, UNSCANNED, CLEAN, INFECTED, FAILED, MISSING = "", "unscanned", "clean", "infected", "failed", "missing"
    SCANS: ClassVar = [
        (PRIVATE, "Never offered for download"),
        (UNSCANNED, "Not scanned"),
        (CLEAN, "Scanned, nothing found"),
        (INFECTED, "Held: the scanner found something"),
        (FAILED, "Held: it could not be scanned"),
        (MISSING, "Held: its content is missing in the media folder"),
    ]
    sha256 = models.CharField(max_length=64, unique=True)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=120)
    name = models.CharField(max_length=255)
    at = models.DateTimeField()
    last_at = models.DateTimeField(null=True, help_text="When this content was stored last.")
    scan = models.CharField(max_length=10, choices=SCANS, blank=True, default=PRIVATE)
    scan_note = models.CharField(max_length=200, blank=True, help_text="What the virus scanner said.")
    scanned_at = models.DateTimeField(null=True, blank=True, help_text="When it was scanned again.")

    def __str__(self) -> str:
        return self.name

    @property
    def is_held(self) -> bool:
        """Whether it must not be downloaded. With a virus scanner only what it found clean may be."""
        return scan_holds(self.scan)


def scan_holds(scan: str) -> bool:
    """Whether a file in this state is held: with a virus scanner all but what it found clean."""
    return scan != StoredFile.CLEAN and (scan != StoredFile.UNSCANNED or bool(settings.CLAMD_URL))


class Heartbeat(models.Model):
    """The last sign of life of a long-running part (engine, sender, worker)."""

    name = models.CharField(max_length=60, unique=True)
    at = models.DateTimeField()
    detail = models.CharField(max_length=200, blank=True)

    def __str__(self) -> str:
        return self.name


class DownloadLog(models.Model):
    """Who downloaded which document (brief PDFs, exports)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT)
    what = models.CharField(max_length=200)
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.what} by {self.user}"


class ClockOffset(models.Model):
    """Seconds added to the clock; read only where settings.CLOCK_MAY_MOVE is on (test servers)."""

    seconds = models.FloatField()

    def __str__(self) -> str:
        return f"{self.seconds} s"


class SearchWords(models.Model):
    """The words of one row: `head` says what it is, `body` what else is known. Made by `install`, not by a migration: on
    SQLite it is a virtual table, whose key is the column `rowid`."""

    head = models.TextField()
    body = models.TextField()
    objects: ClassVar[models.Manager[Any]]

    class Meta:
        abstract = True
        managed = False

    @classmethod
    def owners(cls) -> models.QuerySet[Any]:
        """The rows that have words, with all that `texts` reads."""
        raise NotImplementedError

    @classmethod
    def texts(cls, owner: Any) -> tuple[Sequence[str], Sequence[str]]:
        """The indexed texts of a row: those of the head, those of the body."""
        raise NotImplementedError

    @classmethod
    def of(cls, owner: models.Model) -> Self:
        """The words of a row as they should be."""
        head, body = cls.texts(owner)
        return cls(pk=owner.pk, head=joined(*head), body=joined(*body))


@cache
def _in_force(model: type[Version]) -> PreparedRows[Version]:
    """Nearly every page asks for the policy or the authority in force."""
    return PreparedRows(model, model.objects.in_force, datetime)
