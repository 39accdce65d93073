"""Duties and RACI letters change on the case: asked, accepted, on the record."""

from typing import Any

import pytest
from django.db import transaction

from accounts.models import User
from escalations.cases import duties, handoffs
from escalations.cases.handoffs import Notes
from escalations.cases.log import lock
from escalations.models import CasePerson, Escalation, HandOff
from ledger.errors import Invalid, NotAllowed, Stale
from ledger.now import now
from tests.escalations.cases.builders import accepted, asked, opened, waiting_handoff
from tests.support.cast import Cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
OWNING = {"tried": "Three offers", "open_points": "The price", "ask": "Take it"}


def holder(case: Escalation, duty: str) -> Any:
    """Who has the duty."""
    return case.people.get(duty=duty).user


def change(case: Escalation, by: Any, to: Any, duty: str, **notes: str) -> HandOff:
    """Ask somebody to take the duty."""
    return handoffs.reassign(case_id=case.pk, by=by, to=to, notes=Notes(**notes), duty=duty)


@pytest.mark.parametrize("duty", [CasePerson.COMMUNICATION, CasePerson.SCRIBE])
def test_a_duty_moves_when_the_new_person_accepts(cast: Cast, duty: str) -> None:
    case = accepted(cast)
    before = holder(case, duty)
    handoff = change(case, case.owner, cast.ae, duty)
    assert holder(case, duty) == before
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=cast.ae)
    assert holder(case, duty) == cast.ae
    assert Escalation.objects.get(pk=case.pk).owner == case.owner
    assert case.events.filter(kind="accepted", actor=cast.ae).exists()


def test_the_owner_a_manager_and_operations_change_duties_and_nobody_else(cast: Cast) -> None:
    case = accepted(cast)
    for by in (case.owner, cast.sponsor, cast.ops):
        change(case, by, cast.ae, CasePerson.COMMUNICATION)
    for by in (cast.csm, cast.legal):
        with pytest.raises(NotAllowed):
            change(case, by, cast.ae, CasePerson.COMMUNICATION)


def test_exactly_one_is_accountable_after_the_authority_changed(cast: Cast) -> None:
    case = accepted(cast)
    second = person("eva@desk.example", "Eva Stone", "executive-sponsor")
    handoff = change(case, cast.ops, second, CasePerson.AUTHORITY)
    handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=second)
    assert [each.user for each in case.people.filter(letter="A")] == [second]


def test_the_authority_is_not_taken_after_the_role_has_ended(cast: Cast) -> None:
    case = accepted(cast)
    second = person("eva@desk.example", "Eva Stone", "executive-sponsor")
    handoff = change(case, cast.ops, second, CasePerson.AUTHORITY)
    second.holdings.update(ends=now())
    second = User.objects.get(pk=second.pk)
    with pytest.raises(NotAllowed, match="You hold no role now"):
        handoffs.accept(case_id=case.pk, handoff_id=handoff.pk, by=second)
    assert holder(case, CasePerson.AUTHORITY) != second


def test_the_authority_must_decide_at_the_level_and_follows_an_open_request(cast: Cast) -> None:
    case = accepted(cast)
    with pytest.raises(Invalid, match="holds no role that decides at"):
        change(case, cast.ops, cast.legal, CasePerson.AUTHORITY)
    waiting = asked(cast)
    second = person("eva@desk.example", "Eva Stone", "executive-sponsor")
    with pytest.raises(Invalid, match="A request waits for"):
        change(waiting, cast.ops, second, CasePerson.AUTHORITY)


def test_one_person_owns_and_decides_only_with_a_note(cast: Cast) -> None:
    case = accepted(cast)
    authority = holder(case, CasePerson.AUTHORITY)
    with pytest.raises(Invalid, match="Enter why one person") as refusal:
        change(case, cast.ops, authority, CasePerson.OWNER, **OWNING)
    assert refusal.value.field == "both"
    handoff = change(case, cast.ops, authority, CasePerson.OWNER, **OWNING, both="The owner is on leave")
    assert "owns and decides: The owner is on leave" in handoff.why
    assert case.events.filter(kind="handed_off", summary__contains="One person owns and decides").exists()


@pytest.mark.parametrize("note", ["\u200b", "\u3164 \u2060", "  "])
def test_a_note_that_says_nothing_is_no_note(cast: Cast, note: str) -> None:
    case = accepted(cast)
    with pytest.raises(Invalid, match="Enter why one person"):
        change(case, cast.ops, holder(case, CasePerson.AUTHORITY), CasePerson.OWNER, **OWNING, both=note)


def authority_above(case: Escalation, boss: User) -> HandOff:
    """The first hand-off waits, and the manager of its addressee is the decision authority."""
    first = waiting_handoff(case)
    case.people.filter(duty=CasePerson.AUTHORITY).update(user=boss)
    User.objects.filter(pk=first.to_user_id).update(manager=boss)
    return waiting_handoff(case)


def test_a_refused_case_that_goes_to_the_authority_says_why_one_person_owns_and_decides(cast: Cast) -> None:
    case = opened(cast)
    first = authority_above(case, cast.sponsor)
    handoffs.refuse(case_id=case.pk, handoff_id=first.pk, by=first.to_user, reason="The brief is incomplete")
    following = waiting_handoff(case)
    assert following.to_user == cast.sponsor
    assert following.why.endswith(f"owns and decides: {duties.WENT_ON}")
    assert case.events.filter(kind="handed_off", summary__contains="One person owns and decides").exists()


def test_a_case_that_decays_to_the_authority_says_so_too(cast: Cast) -> None:
    case = opened(cast)
    first = authority_above(case, cast.sponsor)
    handoffs.accept(case_id=case.pk, handoff_id=first.pk, by=first.to_user)
    with transaction.atomic():
        handoffs.decay(lock(case.pk), at=now())
    assert waiting_handoff(case).why.endswith(f"owns and decides: {duties.WENT_ON}")


def test_the_owner_is_not_made_accountable_by_letters(cast: Cast) -> None:
    case = Escalation.objects.get(pk=accepted(cast).pk)
    mine, theirs = case.people.get(duty=CasePerson.OWNER), case.people.get(duty=CasePerson.AUTHORITY)
    wanted = duties.Letters(case.version, {mine.pk: "A", theirs.pk: "R"})
    with pytest.raises(Invalid, match="owns the case") as refusal:
        duties.set_letters(case_id=case.pk, by=mine.user, wanted=wanted)
    assert refusal.value.field == f"letter_{mine.pk}"
    assert case.people.get(letter="A") == theirs


def test_two_offers_to_one_person_do_not_evade_the_note(cast: Cast) -> None:
    case = accepted(cast)
    second = person("eva@desk.example", "Eva Stone", "executive-sponsor")
    change(case, cast.ops, second, CasePerson.AUTHORITY)
    with pytest.raises(Invalid, match="Enter why one person"):
        change(case, cast.ops, second, CasePerson.OWNER, **OWNING)


def test_an_external_party_takes_no_duty_and_is_not_named(cast: Cast) -> None:
    case = accepted(cast)
    felix = person("felix@supplier.example", "Felix Supplier", "external")
    with pytest.raises(Invalid, match="external party"):
        change(case, cast.ops, felix, CasePerson.OWNER, **OWNING)
    case.refresh_from_db()
    with pytest.raises(Invalid, match="external party"):
        duties.set_letters(case_id=case.pk, by=cast.ops, wanted=duties.Letters(case.version, add=felix, add_letter="I"))
    assert not Escalation.objects.visible_to(felix).exists()


def test_letters_change_and_exactly_one_stays_accountable(cast: Cast) -> None:
    case = Escalation.objects.get(pk=accepted(cast).pk)
    rows = {row.letter: row for row in case.people.all()}
    old, other = rows["A"], next(row for row in case.people.all() if row.letter != "A" and not row.duty)
    with pytest.raises(Invalid, match="Now nobody is"):
        duties.set_letters(case_id=case.pk, by=cast.ops, wanted=duties.Letters(case.version, {old.pk: "C"}))
    with pytest.raises(Invalid, match="Now 2 are"):
        duties.set_letters(case_id=case.pk, by=cast.ops, wanted=duties.Letters(case.version, {other.pk: "A"}))
    wanted = duties.Letters(case.version, {old.pk: "C", other.pk: "A"}, add=cast.outsider, add_letter="I")
    duties.set_letters(case_id=case.pk, by=cast.ops, wanted=wanted)
    assert case.people.get(letter="A").user == other.user
    assert Escalation.objects.visible_to(cast.outsider).filter(pk=case.pk).exists()
    with pytest.raises(Stale):
        duties.set_letters(case_id=case.pk, by=cast.ops, wanted=wanted)
    assert case.events.filter(kind="role", summary__contains="Olga Novak added as I").exists()


def test_a_person_with_a_duty_is_not_taken_off_and_a_stakeholder_loses_access(cast: Cast) -> None:
    case = Escalation.objects.get(pk=accepted(cast).pk)
    lead = case.people.get(duty=CasePerson.COMMUNICATION)
    with pytest.raises(Invalid, match="Hand the duty over first"):
        duties.set_letters(case_id=case.pk, by=cast.ops, wanted=duties.Letters(case.version, {lead.pk: ""}))
    row = case.people.filter(duty="", user=cast.legal).first() or case.people.filter(duty="").first()
    assert row is not None
    duties.set_letters(case_id=case.pk, by=cast.ops, wanted=duties.Letters(case.version, {row.pk: ""}))
    assert not case.people.filter(pk=row.pk).exists()
