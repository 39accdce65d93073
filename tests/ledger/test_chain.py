"""The log shows every edit, gap, reorder and cut."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from escalations.cases.log import Entry, lock, record
from escalations.models import Escalation, Event
from ledger import chain, triggers
from ledger.now import now
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast

pytestmark = pytest.mark.both_databases


@pytest.fixture
def case(cast: Cast) -> Escalation:
    """A case with a log of its own."""
    return Escalation.objects.get(pk=opened(cast).pk)


def breaks(case: Escalation) -> list[str]:
    """What verification says."""
    fresh = Escalation.objects.get(pk=case.pk)
    return [found.what for found in chain.breaks_in(fresh, Event.objects.filter(case=case).order_by("seq"))]


def tamper(sql: str, *values: Any) -> None:
    """Change the table behind the application's back."""
    with triggers.lifted(), connection.cursor() as cursor:
        cursor.execute(sql, values)


def test_an_untouched_log_verifies(case: Escalation) -> None:
    assert breaks(case) == []


def test_numbers_run_without_a_gap_even_through_stale_instances(case: Escalation) -> None:
    with transaction.atomic():
        first, second = lock(case.pk), lock(case.pk)
        record(first, [Entry(kind="update", text="one"), Entry(kind="update", text="two")], at=now())
        record(second, [Entry(kind="update", text="three")], at=now())
    seqs = list(Event.objects.filter(case=case).order_by("seq").values_list("seq", flat=True))
    assert seqs == list(range(1, len(seqs) + 1))
    assert breaks(case) == []


def test_entries_written_together_keep_their_order_and_save_the_fields_with_them(
    case: Escalation, django_assert_num_queries: Any
) -> None:
    with transaction.atomic():
        mine, other = lock(case.pk), lock(case.pk)
        record(other, [Entry(kind="update", summary="between")], at=now())
        # Two statements, and two more to find the end that was written in between.
        with django_assert_num_queries(4), chain.together(mine):
            record(mine, [Entry(kind="update", summary="one")], at=now())
            mine.title = "Written with the entries"
            chain.save(mine, ["title"])
            record(mine, [Entry(kind="update", summary="two")], at=now())
    summaries = Event.objects.filter(case=case).order_by("seq").values_list("summary", flat=True)
    assert list(summaries)[-3:] == ["between", "one", "two"]
    assert Escalation.objects.get(pk=case.pk).title == "Written with the entries"
    assert breaks(case) == []


def test_what_was_collected_is_dropped_when_the_change_fails(case: Escalation) -> None:
    def fail() -> None:
        with chain.together(case):
            record(case, [Entry(kind="update", summary="never")], at=now())
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        fail()
    assert not Event.objects.filter(case=case, summary="never").exists()
    assert case.unwritten is None


def test_an_edited_entry_shows(case: Escalation) -> None:
    tamper("UPDATE escalations_event SET summary = 'nothing happened' WHERE case_id = %s AND seq = 2", case.pk)
    assert "content was changed" in breaks(case)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(st.dictionaries(st.text(), VALUES, max_size=6))
def test_what_is_signed_reads_back_as_what_was_written(content: dict[str, Any]) -> None:
    stored = json.loads(json.dumps(content))
    assert stored == content
    assert chain._content_digest(stored) == chain._content_digest(content)


def test_a_changed_time_shows(case: Escalation) -> None:
    event = Event.objects.get(case=case, seq=2)
    tamper("UPDATE escalations_event SET at = %s WHERE id = %s", event.at - timedelta(hours=3), event.pk)
    assert any("signature" in what for what in breaks(case))


def test_a_missing_entry_shows(case: Escalation) -> None:
    tamper("DELETE FROM escalations_event WHERE case_id = %s AND seq = 3", case.pk)
    assert "entry is missing" in breaks(case)


def test_a_cut_tail_shows(case: Escalation) -> None:
    tamper("DELETE FROM escalations_event WHERE case_id = %s AND seq = %s", case.pk, case.log_count)
    assert any("end of the log" in what for what in breaks(case))


def test_a_cut_tail_with_a_matching_counter_still_shows(case: Escalation) -> None:
    before = Event.objects.get(case=case, seq=case.log_count - 1)
    tamper("DELETE FROM escalations_event WHERE case_id = %s AND seq = %s", case.pk, case.log_count)
    Escalation.objects.filter(pk=case.pk).update(log_count=case.log_count - 1, log_last=before.digest)
    assert any("seal" in what for what in breaks(case))


def test_a_log_that_is_gone_whole_shows_though_its_counter_says_none(case: Escalation) -> None:
    tamper("DELETE FROM escalations_event WHERE case_id = %s", case.pk)
    assert any("end of the log" in what for what in breaks(case))
    Escalation.objects.filter(pk=case.pk).update(log_count=0, log_last="", log_seal="")
    assert breaks(case) == ["the log is missing"]


def test_swapped_entries_show(case: Escalation) -> None:
    tamper("UPDATE escalations_event SET seq = 9002 WHERE case_id = %s AND seq = 2", case.pk)
    tamper("UPDATE escalations_event SET seq = 2 WHERE case_id = %s AND seq = 3", case.pk)
    tamper("UPDATE escalations_event SET seq = 3 WHERE case_id = %s AND seq = 9002", case.pk)
    assert breaks(case)


@pytest.mark.parametrize("verb", ["update", "delete"])
def test_the_database_refuses_to_change_an_entry(case: Escalation, verb: str) -> None:
    rows = Event.objects.filter(case=case)
    with pytest.raises(DatabaseError), transaction.atomic():
        rows.update(summary="x") if verb == "update" else rows._raw_delete(rows.db)  # type: ignore[attr-defined]
    assert breaks(case) == []


def test_erased_text_leaves_the_log_whole(case: Escalation) -> None:
    event = Event.objects.filter(case=case, text__isnull=False).first()
    assert event is not None
    assert event.text is not None
    event.text.body = ""
    event.text.save()
    assert breaks(case) == []
    assert event.text_hash


def test_no_trigger_is_missing_after_migrate(db: None) -> None:
    assert triggers.missing() == []


def test_a_missing_trigger_is_named(db: None) -> None:
    on = " ON escalations_event" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER escalations_event_no_update{on}")
    assert triggers.missing() == ["escalations_event_no_update"]
    triggers.install()
    assert triggers.missing() == []
