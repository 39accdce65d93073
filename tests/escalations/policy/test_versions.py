"""A policy is changed in a draft, compared, checked and published by a second person; what is published never changes."""

from datetime import timedelta

import pytest

from escalations.models import MatrixRow, PolicyVersion, Target
from escalations.policy import versions
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now

pytestmark = pytest.mark.both_databases


def refused(error, call, **values):
    with pytest.raises(error) as caught:
        call(**values)
    return caught.value


def test_a_draft_copies_every_row_of_the_policy_in_force(policy, draft, author):
    assert (draft.number, draft.state, draft.author, draft.based_on) == (2, PolicyVersion.DRAFT, author, policy)
    for model in versions.ROWS:
        assert model.objects.filter(version=draft).count() == model.objects.filter(version=policy).count() > 0
    assert versions.check_draft(draft) == []
    assert versions.diff_to_base(draft) == []


def test_a_draft_does_not_apply_to_anybody(policy, draft):
    assert PolicyVersion.objects.current(now()) == policy


def test_people_outside_operations_cannot_start_or_publish_or_discard_a_draft(draft, cast):
    refused(NotAllowed, versions.clone_draft, by=cast.director)
    refused(NotAllowed, versions.publish, version=draft, by=cast.director, note="Mine")
    refused(NotAllowed, versions.discard, version=draft, by=cast.csm)


def test_the_author_cannot_publish_their_own_draft(draft, author):
    error = refused(NotAllowed, versions.publish, version=draft, by=author, note="Quarterly review")
    assert "second person" in error.message
    draft.refresh_from_db()
    assert draft.state == PolicyVersion.DRAFT


def test_a_second_person_publishes_and_the_version_before_stays_published(policy, draft, second):
    before = now()
    published = versions.publish(version=draft, by=second, note="Quarterly review")
    assert (published.state, published.publisher, published.note) == ("published", second, "Quarterly review")
    assert PolicyVersion.objects.current(now()) == draft
    assert PolicyVersion.objects.current(before - timedelta(days=1)) == policy


def test_a_policy_can_be_published_for_a_later_moment_but_not_for_the_past(policy, draft, second):
    yesterday, tomorrow = now() - timedelta(days=1), now() + timedelta(days=1)
    error = refused(Invalid, versions.publish, version=draft, by=second, note="Q3", effective_from=yesterday)
    assert error.field == "effective_from"
    versions.publish(version=draft, by=second, note="Q3", effective_from=tomorrow)
    assert PolicyVersion.objects.current(now()) == policy
    assert PolicyVersion.objects.current(tomorrow + timedelta(seconds=1)) == draft


def test_publishing_needs_a_reason(draft, second):
    assert refused(Invalid, versions.publish, version=draft, by=second, note=" ").field == "note"


def test_publishing_twice_and_publishing_a_stale_draft_are_refused(draft, author, second):
    late = versions.clone_draft(by=author)
    versions.publish(version=draft, by=second, note="First")
    refused(Stale, versions.publish, version=draft, by=second, note="Again")
    assert "published after" in refused(Stale, versions.publish, version=late, by=second, note="Late").message


def test_an_incomplete_draft_is_not_published_and_says_what_is_missing(draft, second):
    MatrixRow.objects.filter(version=draft, issue_type="", tier="red").delete()
    Target.objects.filter(version=draft, clock="response", tier="red").update(amount=0)
    error = refused(Invalid, versions.publish, version=draft, by=second, note="Try")
    assert "no general row for Red tier" in error.message
    assert "First response: a target must be above 0" in error.message


def test_published_and_discarded_versions_cannot_be_opened_for_a_change(policy, draft, author):
    assert "never changes" in refused(Stale, versions.locked_draft, version_id=policy.pk).message
    assert versions.locked_draft(draft.pk) == draft
    versions.discard(version=draft, by=author)
    refused(Stale, versions.locked_draft, version_id=draft.pk)
    refused(Stale, versions.discard, version=draft, by=author)


def test_the_difference_names_what_changed_in_words(draft):
    draft.targets.filter(clock="decision", level=2, issue_type="").update(amount=1440)
    draft.cadences.filter(tier="green").delete()
    draft.levels.filter(slug="team").update(name="Team")
    draft.tiers.filter(slug="red").update(score_from=75)
    words = [str(change) for change in versions.diff_to_base(draft)]
    assert words == [
        "Level team: name Team lead → Team",
        "Tier red: score from 70 → 75",
        "Target decision · 2: amount 2880 → 1440",
        "Cadence green: removed",
    ]


@pytest.mark.parametrize(
    ("rows", "change", "problem"),
    [
        ("tiers", {"slug": "red"}, "Red tier has no band of health"),
        ("stakeholders", {"letter": "A", "tier": "yellow"}, "Yellow tier has no Accountable"),
        ("cadences", {"tier": "green"}, "Green tier has no rhythm of updates"),
        ("scoreweights", {}, "The score has no parts"),
        ("targets", {"clock": "acceptance", "tier": "red"}, "Acceptance has no target for Red tier at level 1"),
        ("issuetypes", {"slug": "refund-credit"}, "names the issue type “refund-credit”, which does not exist"),
    ],
)
def test_a_draft_without_a_needed_row_names_it(draft, rows, change, problem):
    getattr(draft, rows).filter(**change).delete()
    assert problem in " ".join(versions.check_draft(draft))


def test_a_calendar_without_working_time_is_named(draft):
    calendar = draft.issuetypes.get(slug="refund-credit").calendar
    calendar.spans.all().delete()
    calendar.save()
    assert f"the calendar {calendar.name} has no working time" in " ".join(versions.check_draft(draft))
