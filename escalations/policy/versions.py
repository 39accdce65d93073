"""Drafts of the policy: copied from the one in force, checked, published by a second person. Published rows never change."""

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Max

from accounts.calendars.queries import work_calendar
from accounts.calendars.rules.worktime import opens_ever
from accounts.models import Role, User
from escalations.models import (
    Cadence,
    HealthScore,
    IssueType,
    Level,
    MatrixRow,
    PolicyVersion,
    ScoreWeight,
    Stakeholder,
    Target,
    TargetFactor,
    Tier,
    TriggerRule,
)
from escalations.policy import rows as policy_rows
from escalations.policy.models import PolicyRow
from escalations.policy.rules import checks as rules
from escalations.policy.rules import levels as level_rules
from escalations.policy.rules import target_checks
from escalations.triage.rules import triggers
from ledger import versions
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now
from ledger.reading import has_words, words_of

ROWS: tuple[type[PolicyRow], ...] = (
    Level,
    Tier,
    IssueType,
    TriggerRule,
    MatrixRow,
    Target,
    TargetFactor,
    Stakeholder,
    Cadence,
    ScoreWeight,
    HealthScore,
)
KEYS: versions.Keys = {
    Level: ("slug",),
    Tier: ("slug",),
    IssueType: ("slug",),
    TriggerRule: ("slug",),
    MatrixRow: ("issue_type", "tier", "sort"),
    Target: ("clock", "tier", "level", "issue_type"),
    TargetFactor: ("clock", "part", "from_value", "to_value"),
    Stakeholder: ("tier", "role__slug"),
    Cadence: ("tier",),
    ScoreWeight: ("part",),
    HealthScore: (),
}


LEVELS_QUESTION = "Levels have ranks, roles and an executive"


@dataclass(frozen=True)
class Check:
    """One check before publishing, and its problems; none if it passes."""

    name: str
    problems: list[str]


@transaction.atomic
def clone_draft(*, by: User) -> PolicyVersion:
    """A new draft with every row of the policy in force. Raises NotAllowed outside operations, Invalid without a policy."""
    _operations(by)
    base = PolicyVersion.objects.current(now())
    if base is None:
        raise Invalid("There is no policy in force to start from.")
    number = (PolicyVersion.objects.aggregate(most=Max("number"))["most"] or 0) + 1
    draft: PolicyVersion = versions.clone(base, ROWS, number, by)
    return draft


def locked_draft(version_id: int, *, by: User | None = None) -> PolicyVersion:
    """The version, locked for a change of its rows; call it first in the transaction that changes them.

    Raises Stale if it is not a draft, because published rows never change. With `by`, raises NotAllowed unless that is
    the author, because changes by other people could not be distinguished from what the second person checked.
    """
    version = PolicyVersion.objects.select_for_update(of=("self",)).get(pk=version_id)
    if version.state != PolicyVersion.DRAFT:
        raise Stale(f"{version} is {version.get_state_display().lower()} and never changes. Start a draft from it.")
    if by is not None and version.author_id != by.pk:
        raise NotAllowed(f"Only {version.author} can change this draft. Start your own draft.")
    return version


def diff_to_base(version: PolicyVersion) -> list[versions.Change]:
    """The changes since the version it was made from; none for version 1."""
    return versions.diff(version.based_on, version, ROWS, KEYS) if version.based_on else []


def check_draft(version: PolicyVersion) -> list[str]:
    """Every reason not to publish the version, as sentences; an empty list when it is complete."""
    return list(dict.fromkeys(problem for check in checks(version) for problem in check.problems))


def checks(version: PolicyVersion) -> list[Check]:
    """The checks one by one, for a page that also shows those that pass."""
    matrix, found = policy_rows.matrix(version), policy_rows.targets(version)
    rows = [row for row, _ in matrix]
    ladder = version.ladder
    levels = level_rules.problems(ladder.levels)
    if levels:
        return [Check(LEVELS_QUESTION, levels)]
    unknown = level_rules.unknown_ranks(ladder, policy_rows.levels_used(version))
    unknown += level_rules.roles_without_level(ladder, policy_rows.deciding_roles(version))
    return [
        Check(LEVELS_QUESTION, levels),
        Check("Rows and roles name levels that exist", unknown),
        Check("Tiers cover every health from 0 to 100 exactly once", rules.bands(policy_rows.tiers(version))),
        Check("Every case can be escalated", rules.general_rows(rows) + rules.unreachable_rows(rows)),
        Check("Exactly one Accountable in each tier", rules.one_accountable(policy_rows.letters(version))),
        Check("Targets are above zero and complete", rules.positive_targets(found) + rules.promised(found, rows)),
        Check("Warnings come in order, before the breach", target_checks.further_warnings(found)),
        Check("Factors do not overlap", _factors(version)),
        Check("Waiting times match the decision clock", rules.same_times(matrix, found)),
        Check("Score parts count", rules.weights(policy_rows.weights(version))),
        Check("Rows name issue types that exist", _issue_types(version)),
        Check("Triggers have thresholds", triggers.problems(policy_rows.thresholds(version))),
        Check("Calendars have working time", _calendars(version)),
        Check("Every tier has a rhythm", _rhythm(version)),
    ]


def _factors(version: PolicyVersion) -> list[str]:
    on = policy_rows.factors(version, active=True)
    return target_checks.factor_rows(policy_rows.factors(version), on)


def _issue_types(version: PolicyVersion) -> list[str]:
    known = set(version.issuetypes.values_list("slug", flat=True))
    return rules.known_issue_types(known, policy_rows.issue_types_used(version))


def _calendars(version: PolicyVersion) -> list[str]:
    return [
        f"{kind.name}: the calendar {kind.calendar.name} has no working time. Add spans to it, or choose another one."
        for kind in version.issuetypes.select_related("calendar")
        if kind.calendar and not opens_ever(work_calendar(kind.calendar))
    ]


def _rhythm(version: PolicyVersion) -> list[str]:
    rows = list(version.cadences.all())
    return rules.missing_tiers({row.tier for row in rows}, "rhythm of updates") + [
        f"{row.get_tier_display()} tier: times between updates must be above 0."
        for row in rows
        if not (row.customer_minutes and row.internal_minutes)
    ]


@transaction.atomic
def publish(
    *, version: PolicyVersion, by: User, effective_from: datetime | None = None, note: str = ""
) -> PolicyVersion:
    """Put a draft in force from a moment (now when none is given). Cases opened before keep the version they run on.

    The version before stays published: the latest one in force applies. Raises NotAllowed for the author (a second
    person publishes) and outside operations; Stale if it is not a draft or another version was published since it was
    made; Invalid with every problem of the checks, without a reason, or for a moment in the past.
    """
    _operations(by)
    at, version = now(), locked_draft(version.pk)
    if version.author_id == by.pk:
        raise NotAllowed("You made this draft, so a second person must publish it.")
    start = effective_from or at
    if start < at:
        raise Invalid("Enter a moment in the future. A policy cannot change the past.", field="effective_from")
    if not (has_words(note) or version.note):
        raise Invalid("Enter the reason for this version. It goes on the record.", field="note")
    _not_overtaken(version)
    if problems := check_draft(version):
        raise Invalid(" ".join(problems))
    version.state, version.publisher, version.published_at = PolicyVersion.PUBLISHED, by, at
    version.effective_from, version.note = start, words_of(note)[:300] or version.note
    version.save(update_fields=["state", "publisher", "published_at", "effective_from", "note"])
    _rank_roles(version)
    return version


def _rank_roles(version: PolicyVersion) -> None:
    """Order roles by the levels of the policy that was published last."""
    for level in version.ladder.levels:
        Role.objects.filter(level=level.slug).exclude(rank=level.rank).update(rank=level.rank)


def _not_overtaken(version: PolicyVersion) -> None:
    newest = PolicyVersion.objects.filter(state=PolicyVersion.PUBLISHED).order_by("-published_at", "-id").first()
    if newest and version.based_on_id and newest.pk != version.based_on_id:
        raise Stale(f"{newest} was published after this draft was made. Start a new draft from it.")


@transaction.atomic
def discard(*, version: PolicyVersion, by: User) -> PolicyVersion:
    """Retire a draft that is not wanted; its rows stay readable. Raises NotAllowed outside operations, Stale if it is
    not a draft."""
    _operations(by)
    version = locked_draft(version.pk)
    version.state = PolicyVersion.RETIRED
    version.save(update_fields=["state"])
    return version


def _operations(by: User) -> None:
    if not by.is_ops:
        raise NotAllowed("Only operations and administrators change the policy.")
