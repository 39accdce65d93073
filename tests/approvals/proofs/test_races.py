"""Eight processes at once on one request, every pair of verbs, through every door, on SQLite and PostgreSQL: one decision at
most, nobody is told of something that is not on record, nothing on record was refused, and no door breaks.

The long form takes 200 rounds for each pair; RACE_ROUNDS sets another number.
"""

import os
import random
import time
from collections import Counter
from collections.abc import Iterator
from itertools import combinations_with_replacement

import pytest
from django.core.management import call_command
from pytest_django import Settings

from accounts.models import Account, User
from approvals.models import ApprovalRequest, ConcessionType, DecisionEntry, Seat
from approvals.requests import decide as deciding
from ledger import chain
from messaging.models import Message
from tests.approvals.conftest import make_request
from tests.approvals.mail.replies import AUTHSERV, token_of
from tests.approvals.proofs.crowd import FAILED, Crowd, crowd
from tests.approvals.proofs.doors import (
    API,
    APPROVE,
    CLOCK,
    DECLINE,
    DELEGATE,
    EDIT,
    LINK,
    OPEN_LINK,
    RECALL,
    REPLY,
    TIMEOUT,
    WEB,
    Caller,
    Heard,
    Knock,
)
from tests.support.cast import Cast

SIZE, SHORT_ROUNDS, LONG_ROUNDS, SEED = 8, 12, 200, 20260302
PAIRS = list(combinations_with_replacement((APPROVE, DECLINE, RECALL, DELEGATE, TIMEOUT, EDIT), 2))
DOORS = {
    APPROVE: (WEB, API, LINK, REPLY, OPEN_LINK),
    DECLINE: (WEB, API, LINK, REPLY, OPEN_LINK),
    RECALL: (WEB, API),
    DELEGATE: (WEB, API),
    TIMEOUT: (CLOCK,),
    EDIT: (WEB, API),
}
KINDS = {
    APPROVE: DecisionEntry.APPROVED,
    DECLINE: DecisionEntry.DECLINED,
    RECALL: DecisionEntry.RECALLED,
    DELEGATE: DecisionEntry.DELEGATED,
    TIMEOUT: DecisionEntry.PASSED_UP,
    EDIT: DecisionEntry.AMENDED,
}
FINAL = {DecisionEntry.APPROVED, DecisionEntry.DECLINED}
# Pressing a button twice is one decision, and both presses are told so; a program and a mail are told apart.
TOLD_EACH = (API, REPLY, CLOCK)
REFUSALS = {200, 403, 404, 409, 410, 422, 302}
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.prove, pytest.mark.both_databases]


@pytest.fixture
def desk(deciders: Cast, settings: Settings) -> Cast:
    """The deciders, committed. Replies and open links may decide up to 20 %."""
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=20, link_up_to=20)
    return deciders


@pytest.fixture
def people(desk: Cast) -> Iterator[Crowd]:
    """Eight processes, forked from one that has gone through every door: what is loaded once is loaded."""
    for pair in ((APPROVE, DECLINE), (RECALL, DELEGATE), (TIMEOUT, EDIT)):
        asked = knocks(desk, new_request(desk, f"warm {pair[0]}"), pair, 0)
        assert [
            Caller(User.objects.get(pk=knock.by)).knock(knock).status
            for knock in asked[: SIZE if pair[0] == APPROVE else 4]
        ]
    with crowd(SIZE) as found:
        yield found


def new_request(desk: Cast, name: str) -> ApprovalRequest:
    """Priya asks Lena for 15 %, for an account of its own: nothing adds up."""
    account = Account.objects.create(external_id=name, name=name, csm=desk.csm)
    made: ApprovalRequest = make_request(desk, account=account, case_key="")
    return made


def knocks(desk: Cast, made: ApprovalRequest, pair: tuple[str, str], number: int) -> list[Knock]:
    """Four of each verb, over all its doors in turn. Some decline over the approver's head; terms get better or worse."""
    token = token_of(made)
    # Whoever it waits for decides; the requester takes back and edits.
    by = {APPROVE: desk.director, DECLINE: desk.director, DELEGATE: desk.director, TIMEOUT: desk.director}
    found = []
    for place in range(SIZE):
        verb = pair[place % 2]
        door = DOORS[verb][(number + place // 2) % len(DOORS[verb])]
        person = by.get(verb, desk.csm)
        if verb == DECLINE and door in (WEB, API) and number % 2:
            person = desk.sponsor
        amount = "12" if (number + place) % 3 else "18"
        seen = {"version": made.version, "seat": made.authority_seat.number}
        values = {**seen, "token": token, "to": desk.outsider.pk, "amount": amount}
        found.append(Knock(verb=verb, door=door, request=made.pk, by=person.pk, **values))
    return found


def check(made: ApprovalRequest, asked: list[Knock], heard: list[Heard]) -> None:
    """What everybody was told, what is on record, and what the request says are one story."""
    made.refresh_from_db()
    entries = list(made.log.all())
    failed = [
        f"{knock.verb} by {knock.door}: {answer.words}"
        for knock, answer in zip(asked, heard, strict=True)
        if broke(answer)
    ]
    assert not failed, "\n".join(failed)
    assert list(chain.breaks_in(made, entries)) == []
    finals = [entry for entry in entries if entry.kind in FINAL]
    assert len(finals) <= 1, "decided twice"
    assert [entry.kind for entry in finals] == ([made.state] if made.state in FINAL else [])
    assert (made.state == "recalled") == any(entry.kind == DecisionEntry.RECALLED for entry in entries)
    assert made.version == 1 + sum(entry.kind in KINDS.values() for entry in entries)
    seats = Counter(made.seats.filter(part=Seat.DECIDE).values_list("state", flat=True))
    assert (seats["decided"], seats["asked"]) == (len(finals), int(made.is_open)), seats
    check_told(entries, asked, heard)


def broke(answer: Heard) -> bool:
    """Anything but done, or refused in words."""
    return answer.status not in REFUSALS or (answer.status in (403, 409, 422) and not answer.words)


def check_told(entries: list[DecisionEntry], asked: list[Knock], heard: list[Heard]) -> None:
    """Nobody is told yes for nothing, and nothing is on record that nobody was told yes for."""
    written = Counter((entry.kind, entry.channel) for entry in entries if entry.kind in KINDS.values())
    yes = [knock for knock, answer in zip(asked, heard, strict=True) if answer.yes]
    told = Counter((KINDS[knock.verb], LINK if knock.door == OPEN_LINK else knock.door) for knock in yes)
    assert written <= told, f"on record {written}, told {told}"
    for (kind, door), times in told.items():
        if door in TOLD_EACH:
            assert written[kind, door] == times, f"told {times} times of {kind} by {door}: {written}"
    for knock in yes:
        same = [entry for entry in entries if entry.kind == KINDS[knock.verb]]
        assert any(entry.channel == CLOCK or entry.actor_id == knock.by for entry in same), f"{knock} is lost"


def finish(made: ApprovalRequest) -> None:
    """Whoever it waits for now can still decide it, and the requester hears of it once."""
    if made.is_open:
        made.refresh_from_db()
        deciding.decide(request_id=made.pk, by=made.approver, verdict="approved", version=made.version)
        made.refresh_from_db()
        assert made.state == "approved"
    if made.state in FINAL:
        seq = made.log.get(kind=made.state).seq
        told = Message.objects.filter(kind="approval_decided", user=made.requester, key__contains=f":{made.pk}:{seq}")
        assert told.count() == 1


def test_every_pair_of_verbs_at_once_leaves_one_story(desk: Cast, people: Crowd, proving: bool) -> None:
    plan = [(pair, number) for number in range(int(os.environ.get("RACE_ROUNDS", LONG_ROUNDS))) for pair in PAIRS]
    if not proving:
        plan = random.Random(SEED).sample(plan, SHORT_ROUNDS)
    figures: Counter[str] = Counter()
    started = time.monotonic()
    for round_, (pair, number) in enumerate(plan):
        made = new_request(desk, f"Round {round_}")
        asked = knocks(desk, made, pair, number)
        heard = people.at_once(asked)
        check(made, asked, heard)
        figures.update("done" if answer.yes else f"refused {answer.status}" for answer in heard)
        figures[made.state] += 1
        finish(made)
    call_command("verify_log", "--no-anchors", verbosity=0)
    print(f"\n{len(plan)} rounds of {SIZE} in {time.monotonic() - started:.0f} s: {dict(figures)}")
    assert figures[f"refused {FAILED}"] == 0
