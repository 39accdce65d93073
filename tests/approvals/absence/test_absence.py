"""Out-of-office entries of a calendar: what counts, from when to when, and what is no calendar."""

from datetime import UTC, datetime
from time import process_time

import pytest

from approvals.absence.rules import calendar as rules
from approvals.absence.rules.calendar import NotACalendar, absences

AT = datetime(2026, 3, 2, 12, tzinfo=UTC)
NEW_YORK = "America/New_York"


def ics(*events: str) -> bytes:
    """A calendar with these entries."""
    body = "".join(f"BEGIN:VEVENT\r\n{event.strip()}\r\nEND:VEVENT\r\n" for event in events)
    text = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//T//T//EN\r\n{body}END:VCALENDAR\r\n"
    return text.replace("\r\n", "\n").replace("\n", "\r\n").encode()


def spans(*events: str, zone: str = NEW_YORK) -> list[tuple[str, str]]:
    """From and until, in UTC to the minute."""
    found = absences(ics(*events), zone, AT)
    return [(f"{away.starts_at:%m-%d %H:%M}", f"{away.ends_at:%m-%d %H:%M}") for away in found]


def day(first: int, last: int, **more: str) -> str:
    """Whole days of March."""
    lines = "".join(f"{key.replace('_', '-')}:{value}\n" for key, value in more.items())
    return f"UID:a\nDTSTART;VALUE=DATE:202603{first:02}\nDTEND;VALUE=DATE:202603{last:02}\n{lines}"


def test_outlook_marks_an_entry_as_out_of_office() -> None:
    assert spans(day(4, 6, X_MICROSOFT_CDO_BUSYSTATUS="OOF", SUMMARY="Skiing")) == [("03-04 05:00", "03-06 05:00")]
    assert spans(day(4, 6, X_MICROSOFT_CDO_BUSYSTATUS="BUSY", SUMMARY="Out of office")) == []


@pytest.mark.parametrize(
    "title", ["Out of office", "OOO", "Vacation in Rome", "annual leave", "PTO", "Lena: out-of-office", "On leave"]
)
def test_words_in_the_title_count(title: str) -> None:
    assert len(spans(day(4, 6, SUMMARY=title))) == 1


@pytest.mark.parametrize("title", ["Board meeting", "Bring photos", "Cooool", "Leave for the airport"])
def test_other_titles_do_not(title: str) -> None:
    assert spans(day(4, 6, SUMMARY=title)) == []


def test_a_category_counts_and_what_is_free_or_cancelled_does_not() -> None:
    assert len(spans(day(4, 6, SUMMARY="Rome", CATEGORIES="Private,Vacation"))) == 1
    assert spans(day(4, 6, SUMMARY="Vacation", TRANSP="TRANSPARENT")) == []
    assert spans(day(4, 6, SUMMARY="Vacation", STATUS="CANCELLED")) == []


def test_a_short_entry_with_the_words_is_a_meeting_about_it() -> None:
    meeting = "UID:m\nDTSTART:20260304T150000Z\nDTEND:20260304T160000Z\nSUMMARY:Vacation planning"
    assert spans(meeting) == []
    assert len(spans(meeting + "\nX-MICROSOFT-CDO-BUSYSTATUS:OOF")) == 1


def test_whole_days_are_days_of_the_person_also_over_summer_time() -> None:
    assert spans(day(7, 10, SUMMARY="OOO")) == [("03-07 05:00", "03-10 04:00")]
    assert spans(day(7, 10, SUMMARY="OOO"), zone="Europe/Berlin") == [("03-06 23:00", "03-09 23:00")]


def test_one_day_without_an_end_is_one_day() -> None:
    assert spans("UID:a\nDTSTART;VALUE=DATE:20260304\nSUMMARY:OOO") == [("03-04 05:00", "03-05 05:00")]


def test_times_without_a_zone_are_the_persons_and_durations_count() -> None:
    assert spans("UID:a\nDTSTART:20260304T090000\nDURATION:PT8H\nSUMMARY:OOO") == [("03-04 14:00", "03-04 22:00")]


def test_what_is_over_or_far_ahead_is_left_out() -> None:
    over = "UID:a\nDTSTART;VALUE=DATE:20260201\nDTEND;VALUE=DATE:20260203\nSUMMARY:OOO"
    far = "UID:b\nDTSTART;VALUE=DATE:20260601\nDTEND;VALUE=DATE:20260603\nSUMMARY:OOO"
    running = "UID:c\nDTSTART;VALUE=DATE:20260301\nDTEND;VALUE=DATE:20260304\nSUMMARY:OOO"
    assert spans(over, far, running) == [("03-01 05:00", "03-04 05:00")]


def test_recurring_entries_are_expanded_with_their_exceptions_and_moved_ones() -> None:
    fridays = (
        "UID:f\nDTSTART;TZID=America/New_York:20260102T090000\nDTEND;TZID=America/New_York:20260102T170000\n"
        "RRULE:FREQ=WEEKLY;BYDAY=FR;UNTIL=20260328T000000Z\nSUMMARY:OOO\n"
        "EXDATE;TZID=America/New_York:20260313T090000"
    )
    moved = (
        "UID:f\nRECURRENCE-ID;TZID=America/New_York:20260320T090000\nSUMMARY:OOO\n"
        "DTSTART;TZID=America/New_York:20260319T090000\nDTEND;TZID=America/New_York:20260319T170000"
    )
    assert spans(fridays, moved) == [
        ("03-06 14:00", "03-06 22:00"),
        ("03-19 13:00", "03-19 21:00"),
        ("03-27 13:00", "03-27 21:00"),
    ]


def test_a_change_of_one_time_and_all_later_ones_moves_them() -> None:
    fridays = "UID:f\nDTSTART:20260306T090000\nDTEND:20260306T170000\nRRULE:FREQ=WEEKLY;COUNT=4\nSUMMARY:OOO"
    later = (
        "UID:f\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260320T090000\nSUMMARY:OOO\n"
        "DTSTART:20260319T090000\nDTEND:20260319T170000"
    )
    assert [begins for begins, _ in spans(fridays, later)] == [
        "03-06 14:00",
        "03-13 13:00",
        "03-19 13:00",
        "03-26 13:00",
    ]


def test_a_time_that_became_a_meeting_is_no_time_away() -> None:
    days = "UID:w\nDTSTART;VALUE=DATE:20260304\nRRULE:FREQ=WEEKLY;COUNT=2\nSUMMARY:OOO"
    meeting = "UID:w\nRECURRENCE-ID;VALUE=DATE:20260311\nDTSTART;VALUE=DATE:20260311\nSUMMARY:Board"
    assert spans(days, meeting) == [("03-04 05:00", "03-05 05:00")]


def test_listed_days_and_a_second_rule_are_read() -> None:
    listed = "UID:l\nDTSTART;VALUE=DATE:20260304\nRDATE;VALUE=DATE:20260310\nSUMMARY:OOO"
    assert spans(listed) == [("03-04 05:00", "03-05 05:00"), ("03-10 04:00", "03-11 04:00")]
    two = (
        "UID:t\nDTSTART;VALUE=DATE:20260304\nRRULE:FREQ=WEEKLY;COUNT=2\nRRULE:FREQ=WEEKLY;BYDAY=FR;COUNT=1\nSUMMARY:OOO"
    )
    assert [begins for begins, _ in spans(two)] == ["03-04 05:00", "03-06 05:00", "03-11 04:00"]


def test_times_without_a_zone_repeat_in_the_zone_of_the_person() -> None:
    days = "UID:n\nDTSTART:20260303T200000\nDTEND:20260304T080000\nRRULE:FREQ=DAILY;UNTIL=20260305T200000\nSUMMARY:OOO"
    assert [begins for begins, _ in spans(days)] == ["03-04 01:00", "03-05 01:00", "03-06 01:00"]
    assert [begins for begins, _ in spans(days + "\nEXDATE:20260305T010000Z")] == ["03-04 01:00", "03-06 01:00"]


def test_a_rule_without_end_stops_after_sixty_days() -> None:
    found = spans("UID:d\nDTSTART;VALUE=DATE:20260101\nRRULE:FREQ=WEEKLY\nSUMMARY:OOO")
    assert len(found) == 9


def test_entries_that_touch_are_one_time_away() -> None:
    assert spans(day(4, 6, SUMMARY="OOO"), day(6, 8, SUMMARY="Vacation")) == [("03-04 05:00", "03-08 05:00")]


@pytest.mark.parametrize(
    "junk", [b"", b"<html>Sign in</html>", b"\xff\xfe\x00", b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n"]
)
def test_what_is_no_calendar_is_refused(junk: bytes) -> None:
    with pytest.raises(NotACalendar, match=r"Calendar address \(\.ics\)"):
        absences(junk, NEW_YORK, AT)


ALL_DAY = "UID:d\nDTSTART;VALUE=DATE:20260101\nSUMMARY:OOO\n"
EVERY_SECOND = ";".join(
    f"BY{part}={','.join(map(str, range(most)))}" for part, most in (("HOUR", 24), ("MINUTE", 60), ("SECOND", 60))
)


@pytest.mark.parametrize(
    ("event", "why"),
    [
        (
            "UID:d\nDTSTART:20260304T000000Z\nDTSTART:20260305T000000Z\nDTEND:20260309T000000Z\nSUMMARY:OOO",
            "not a date",
        ),
        ("UID:d\nDTSTART:PT1H\nSUMMARY:OOO", "not a date"),
        ("UID:d\nDTSTART:20260304T000000Z/PT9H\nSUMMARY:OOO", "not a date"),
        ("UID:d\nDTSTART:tomorrow\nSUMMARY:OOO", "not a date"),
        ("UID:d\nDTSTART;VALUE=DATE:20260304\nDTEND:soon\nSUMMARY:OOO", "not a date"),
        ("UID:d\nDTSTART;VALUE=DATE:99991231\nSUMMARY:OOO", "outside of 2000 to 2200"),
        ("UID:d\nDTSTART;VALUE=DATE:00010101\nSUMMARY:OOO", "outside of 2000 to 2200"),
        ("UID:d\nDTSTART;VALUE=DATE:20260304\nDTEND;VALUE=DATE:99991231\nSUMMARY:OOO", "outside of 2000 to 2200"),
        ("UID:d\nDTSTART:20260304T000000Z\nDURATION:P99999999D\nSUMMARY:OOO", "DURATION"),
        ("UID:d\nDTSTART:20260304T000000Z\nDURATION:PT1H\nDURATION:PT9H\nSUMMARY:OOO", "DURATION"),
        (f"{ALL_DAY}EXDATE:bogus\nRRULE:FREQ=DAILY", "An absence in it cannot be read: its EXDATE is broken"),
        (f"{ALL_DAY}RRULE:FREQ=DAILY;BYDAY=XX", "An absence in it cannot be read: its RRULE is broken"),
        (f"{ALL_DAY}RRULE:FREQ=MONTHLY;BYSETPOS=900", "An absence in it cannot be read: its RRULE is broken"),
        (f"{ALL_DAY}RDATE:bogus", "An absence in it cannot be read: its RDATE is broken"),
        (f"{ALL_DAY}RRULE:COUNT=5", "less than a day"),
        (f"{ALL_DAY}RRULE:FREQ=SECONDLY", "less than a day"),
        (f"{ALL_DAY}RRULE:FREQ=HOURLY;BYHOUR=9", "BYHOUR"),
        (f"{ALL_DAY}RRULE:RSCALE=GREGORIAN;FREQ=YEARLY", "RSCALE"),
        (f"{ALL_DAY}RRULE:FREQ=DAILY;{EVERY_SECOND}", "BYHOUR"),
        (f"{ALL_DAY}RRULE:FREQ=DAILY;INTERVAL=0", "INTERVAL"),
        (f"{ALL_DAY}RRULE:FREQ=WEEKLY\nRRULE:FREQ=MINUTELY", "less than a day"),
        (f"{ALL_DAY}DTEND;VALUE=DATE:20280101\nRRULE:FREQ=YEARLY", "longer than 400 days"),
        (f"{ALL_DAY}" + "RDATE;VALUE=DATE:20260310\n" * 401, "too long a list"),
        (f"{ALL_DAY}RRULE:FREQ=DAILY;BYMONTHDAY={','.join(map(str, range(1000)))}", "too long"),
    ],
)
def test_a_time_away_that_cannot_be_understood_is_refused_with_its_reason(event: str, why: str) -> None:
    with pytest.raises(NotACalendar, match=why) as refused:
        spans(event, day(4, 6, SUMMARY="OOO"))
    assert str(refused.value).endswith("Correct this in your calendar.")


def test_another_fault_of_an_absence_is_reported_without_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "_span", lambda event, local: [].index(event))
    with pytest.raises(NotACalendar) as refused:
        spans(day(4, 6, SUMMARY="OOO"))
    assert str(refused.value) == "An absence in it cannot be read. Correct this in your calendar."


def test_a_calendar_that_is_too_large_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "MOST_EVENTS", 1)
    with pytest.raises(NotACalendar, match=r"more than 1 entries\. Delete old entries from your calendar"):
        spans(day(4, 6, SUMMARY="OOO"), day(7, 8, SUMMARY="OOO"))


@pytest.mark.parametrize(
    "line",
    ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=DAILY;INTERVAL=0", "RRULE:FREQ=YEARLY\nEXDATE:bogus", "RECURRENCE-ID:bogus"],
)
def test_other_entries_may_be_as_odd_as_they_like(line: str) -> None:
    birthday = f"UID:b\nDTSTART;VALUE=DATE:16040101\nSUMMARY:Ada\n{line}"
    assert spans(birthday, day(4, 6, SUMMARY="OOO")) == [("03-04 05:00", "03-06 05:00")]


def test_a_rule_that_never_comes_true_ends_soon() -> None:
    began = process_time()
    assert spans(f"{ALL_DAY}RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30") == []
    assert process_time() - began < 5
    with pytest.raises(NotACalendar, match="more than 100"):
        spans(*[f"{ALL_DAY}RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"] * 101)


@pytest.mark.parametrize("rule", ["FREQ=DAILY;COUNT=99999999", "FREQ=DAILY;BYSETPOS=2", "FREQ=YEARLY;UNTIL=00010101"])
def test_odd_rules_do_not_hang(rule: str) -> None:
    began = process_time()
    spans(*[f"UID:{number}\nDTSTART;VALUE=DATE:20251231\nSUMMARY:OOO\nRRULE:{rule}" for number in range(5)])
    assert process_time() - began < 20


def test_a_rule_until_for_ever_or_by_number_is_counted_from_its_first_day() -> None:
    assert len(spans(f"{ALL_DAY}RRULE:FREQ=WEEKLY;UNTIL=99991231T235959Z", zone="Asia/Tokyo")) == 9
    assert spans(f"{ALL_DAY}RRULE:FREQ=WEEKLY;COUNT=10") == [("03-05 05:00", "03-06 05:00")]
    assert spans(f"{ALL_DAY}RRULE:FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20260331") == [("03-27 04:00", "03-28 04:00")]
    leap = "UID:l\nDTSTART;VALUE=DATE:20240229\nSUMMARY:OOO\nRRULE:FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=-31"
    assert spans(leap) == []
    assert spans(leap.replace("-31", "-22")) == [("03-10 04:00", "03-11 04:00")]
