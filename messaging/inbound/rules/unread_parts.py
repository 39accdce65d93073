"""What a mail without a text says: its invitation, and its parts that nobody can read."""

import re
from collections.abc import Iterable
from datetime import datetime

FOLDED = re.compile(r"\r?\n[ \t]")
ESCAPED = re.compile(r"\\([\\;,nN])")
LONGEST = 300
# What a calendar part is for, by its METHOD (RFC 5546).
METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Meeting cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time proposed",
    "DECLINECOUNTER": "Proposed time declined",
}
ANSWERS = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "accepted tentatively"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Outlook's own format, which no other program reads, and encrypted mails, which only their addressee reads.
UNREADABLE = (
    "application/ms-tnef",
    "application/vnd.ms-tnef",
    "application/pkcs7-mime",
    "application/x-pkcs7-mime",
    "application/pgp-encrypted",
)
UNREADABLE_NAME = re.compile(r"winmail\d*\.dat|smime\.p7m|encrypted\.asc", re.IGNORECASE)
CALENDARS = ("text/calendar", "text/x-vcalendar", "application/ics")


def is_calendar(name: str, content_type: str) -> bool:
    """Whether a part of this file name and type holds an entry of a calendar."""
    return content_type.lower() in CALENDARS or name.lower().endswith((".ics", ".vcs"))


def invitation(calendar: str) -> str:
    """The first event of a calendar part, such as "Invitation: Kick-off, Dec 1 15:00 UTC, Room 4", and its description below;
    "" if it has none."""
    lines = FOLDED.sub("", calendar).splitlines()
    method = next((line.partition(":")[2].strip().upper() for line in lines if line.upper().startswith("METHOD")), "")
    event = _event(lines)
    if not event:
        return ""
    word = METHODS.get(method, "Calendar entry")
    answer = (
        ANSWERS.get(_parameter(event.get("ATTENDEE", ("", ""))[0], "PARTSTAT").upper(), "") if method == "REPLY" else ""
    )
    told = (
        _plain(event, "SUMMARY") or "no title",
        answer,
        _when(*event.get("DTSTART", ("", ""))),
        _plain(event, "LOCATION"),
    )
    said = _plain(event, "DESCRIPTION")[:1_000]
    return f"{word}: {', '.join(filter(None, told))}"[:LONGEST] + (f"\n{said}" if said else "")


def _event(lines: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Name to parameters and value, of the first event."""
    found: dict[str, tuple[str, str]] = {}
    inside, within = False, 0
    for line in lines:
        head, _, value = line.partition(":")
        name, _, parameters = head.partition(";")
        name = name.strip().upper()
        if name == "BEGIN" and value.strip().upper() == "VEVENT":
            inside = True
        elif name == "END" and value.strip().upper() == "VEVENT":
            break
        elif inside and name in ("BEGIN", "END"):
            within += 1 if name == "BEGIN" else -1  # an alarm has a description of its own
        elif inside and not within:
            found.setdefault(name, (parameters, value.strip()))
    return found


def _plain(event: dict[str, tuple[str, str]], name: str) -> str:
    value = event.get(name, ("", ""))[1]
    return " ".join(ESCAPED.sub(lambda match: " " if match[1] in "nN" else match[1], value).split())


def _parameter(parameters: str, name: str) -> str:
    found = re.search(rf"(?:^|;){name}=\"?([^;\"]*)", parameters, re.IGNORECASE)
    return found[1] if found else ""


def _when(parameters: str, value: str) -> str:
    for shape in ("%Y%m%dT%H%M%S", "%Y%m%dT%H%M", "%Y%m%d"):
        try:
            moment = datetime.strptime(value.rstrip("Zz"), shape)  # noqa: DTZ007  the zone is written as it came
        except ValueError:
            continue
        day = f"{MONTHS[moment.month - 1]} {moment.day}"
        if shape == "%Y%m%d":
            return day
        zone = "UTC" if value[-1:] in "Zz" else _parameter(parameters, "TZID")
        return f"{day} {str(moment.hour).zfill(2)}:{str(moment.minute).zfill(2)} {zone}".rstrip()
    return ""


def named(invited: str, attachments: Iterable[tuple[str, str]]) -> str:
    """Lines that stand for the text of a mail that has none. `attachments`: name and content type of each."""
    unread: list[str] = []
    others: list[str] = []
    for name, kind in attachments:
        if kind.lower() in UNREADABLE or UNREADABLE_NAME.fullmatch(name):
            unread.append(name or "without a name")
        elif not (invited and is_calendar(name, kind)):
            others.append(name or "without a name")
    lines = [
        invited,
        f"{_counted(unread)}, {', '.join(unread)}, could not be read" if unread else "",
        f"{_counted(others)}: {', '.join(others)}" if others else "",
    ]
    return "\n".join(filter(None, lines))[:2_000]


def _counted(names: list[str]) -> str:
    return "1 attachment" if len(names) == 1 else f"{len(names)} attachments"
