"""Chains in life: functions before, beside and after the authority, committees, consulted people, override, undo."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from accounts.models import Role, User
from approvals.mail import links
from approvals.models import ApprovalRequest, AuthorityVersion, ChainRule, Committee, DecisionLink, Seat
from approvals.requests import decide as deciding
from approvals.requests import talk
from approvals.requests.permissions import for_user
from approvals.requests.plan import stages_of
from ledger import chain
from ledger.errors import AlreadyDone, Invalid, NotAllowed, Refused, Stale
from ledger.now import now
from messaging.models import Message
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]


def person(key: str, *roles: str, **values: Any) -> User:
    """Somebody more, with roles."""
    user = User.objects.create_user(f"{key}@desk.example", None, name=f"{key.capitalize()} More", **values)
    for role in roles:
        user.holdings.create(role=Role.objects.get(slug=role))
    return user


def rule(role: str, place: str = "before", **values: Any) -> ChainRule:
    """One more chain rule of the matrix in force, for every concession."""
    version = AuthorityVersion.objects.get()
    return ChainRule.objects.create(version=version, role=Role.objects.get(slug=role), place=place, **values)


def vote(made: ApprovalRequest, by: User, verdict: str = "approved", **values: Any) -> ApprovalRequest:
    """Say it on the version that is there now."""
    made.refresh_from_db()
    words = deciding.Words(values.pop("reason", ""), values.pop("conditions", ""))
    seen = {"version": made.version, **values}
    return deciding.decide(request_id=made.pk, by=by, verdict=verdict, words=words, **seen)


def kinds(made: ApprovalRequest) -> list[str]:
    """The decision log in one word each."""
    return [entry.kind for entry in made.log.all()]


def asked(made: ApprovalRequest) -> list[str]:
    """Who is asked now."""
    return [seat.person.name for seat in made.seats.filter(state=Seat.ASKED)]


@pytest.fixture(autouse=True)
def plain_matrix(deciders: Cast) -> None:
    """Without the shipped functions and committees, so that each test names its own."""
    version = AuthorityVersion.objects.get()
    version.chain_rules.all().delete()
    version.committees.all().delete()


@pytest.fixture
def lawyer(deciders: Cast) -> User:
    """Legal's only holder."""
    deciders.legal.holdings.create(role=Role.objects.get(slug="legal"))
    return deciders.legal


def test_a_function_before_the_authority_is_asked_first_and_the_authority_after_it(
    deciders: Cast, ask: Ask, lawyer: User
) -> None:
    rule("legal")
    made = ask()
    assert [stage.name for stage in stages_of(made)] == ["Legal", "Director"]
    assert (asked(made), made.approver, made.authority_seat.number, made.stage) == (
        ["Aisha Okafor"],
        deciders.director,
        2,
        1,
    )
    assert not Message.objects.filter(user=deciders.director).exists()
    with pytest.raises(NotAllowed, match="This waits for Aisha Okafor as Legal"):
        vote(made, deciders.director)
    made = vote(made, lawyer)
    assert (made.state, made.stage, made.version, asked(made)) == ("open", 2, 1, ["Lena Ortiz"])
    made = vote(made, deciders.director)
    assert (made.state, made.decided_by, made.decided_level) == ("approved", deciders.director, "director")
    assert kinds(made) == ["asked", "vote", "vote", "approved"]
    assert made.log.filter(kind="vote").first().facts == {
        "verdict": "approved",
        "stage": 1,
        "seat": 1,
        "role": "legal",
    }
    assert list(chain.breaks_in(made, made.log.all())) == []


def test_a_function_that_declines_ends_the_request(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal")
    made = vote(ask(), lawyer, "declined", reason="Not enforceable.")
    assert (made.state, made.decided_by, made.reason) == ("declined", lawyer, "Not enforceable.")
    assert Message.objects.filter(user=deciders.csm, subject__startswith="Declined").count() == 1


def test_beside_the_authority_both_must_agree_in_either_order(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "beside")
    for first, second in ((deciders.director, lawyer), (lawyer, deciders.director)):
        made = ask(concession="contract-term", amount=None)
        assert sorted(asked(made)) == ["Aisha Okafor", "Lena Ortiz"]
        made = vote(made, first)
        assert made.is_open
        assert vote(made, second, version=made.version).state == "approved"


def test_after_the_authority_the_last_word_does_not_lower_its_level(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", "after")
    made = ask()
    vote(made, deciders.director)
    made = vote(made, lawyer)
    assert (made.state, made.decided_by, made.decided_level) == ("approved", lawyer, "director")
    assert made.rule["decided_role"] == "director"


def test_conditions_of_every_seat_are_joined(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal")
    made = ask()
    vote(made, lawyer, "conditions", conditions="Mutual indemnity", reason="Fair")
    made = vote(made, deciders.director, "conditions", conditions="3-year term\nMutual indemnity", reason="Fair")
    assert (made.state, made.conditions) == ("conditions", "Mutual indemnity\n3-year term")
    other = ask(concession="contract-term", amount=None)
    vote(other, lawyer, "conditions", conditions="In writing", reason="Law")
    assert vote(other, deciders.director).state == "conditions"


def test_nobody_to_fill_a_required_seat_refuses_the_request(deciders: Cast, ask: Ask) -> None:
    rule("legal")
    with pytest.raises(Invalid, match="Nobody else holds the role Legal"):
        ask()
    assert not ApprovalRequest.objects.exists()


def test_one_person_never_fills_two_seats(deciders: Cast, ask: Ask) -> None:
    deciders.director.holdings.create(role=Role.objects.get(slug="legal"))
    rule("legal")
    made = ask()
    assert [stage.name for stage in stages_of(made)] == ["Legal", "Executive sponsor"]
    assert (asked(made), made.approver) == (["Lena Ortiz"], deciders.sponsor)


def test_rules_hold_above_their_amount_and_for_their_segment_and_concession(
    deciders: Cast, ask: Ask, lawyer: User
) -> None:
    concession = AuthorityVersion.objects.get().concessions.get(slug="discount")
    rule("legal", concession=concession, above=Decimal(15), segment="enterprise")
    assert len(stages_of(ask(amount=Decimal(15)))) == 1
    assert len(stages_of(ask(amount=Decimal("15.01")))) == 2
    assert len(stages_of(ask(concession="contract-term", amount=None))) == 1
    deciders.northwind.segment = "smb"
    deciders.northwind.save()
    assert len(stages_of(ask(amount=Decimal("15.01")))) == 1


@pytest.fixture
def committee(deciders: Cast) -> list[User]:
    """Three directors besides Lena decide by two of four."""
    Committee.objects.create(
        version=AuthorityVersion.objects.get(),
        role=Role.objects.get(slug="director"),
        quorum="number",
        quorum_of=2,
    )
    return [deciders.director, *(person(key, "director") for key in ("ada", "bo", "cy"))]


def test_a_committee_decides_by_its_quorum(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    lena, ada, bo, cy = committee
    made = ask()
    assert len(asked(made)) == 4
    vote(made, ada, "declined", reason="Too much.")
    made = vote(made, lena)
    assert made.is_open
    made = vote(made, bo)
    assert (made.state, made.seats.get(person=cy).state) == ("approved", "settled")
    assert Message.objects.filter(user=cy, text__contains="nothing left for you to do").exists()
    assert Message.objects.filter(user=lena, kind="approval_decided").count() == 0
    assert [seat["verdict"] for seat in made.log.last().facts["seats"]] == ["approved", "declined", "approved"]


def test_of_those_asked_later_only_the_first_of_the_authority_sees_the_request(
    deciders: Cast, ask: Ask, committee: list[User], lawyer: User
) -> None:
    rule("product", place="after")
    rule("legal")
    lena, *others = committee
    later = person("fay", "product")
    made = ask(confidential=True)

    def seen_by() -> set[str]:
        people = {seat.person for seat in made.seats.all()}
        return {user.name for user in people if ApprovalRequest.objects.visible_to(user).filter(pk=made.pk).exists()}

    assert made.seats.filter(state=Seat.PLANNED, person__in=[*committee, later]).count() == 5
    assert seen_by() == {lawyer.name, lena.name}
    vote(made, lawyer)
    assert seen_by() == {lawyer.name, lena.name, *(user.name for user in others)}
    vote(made, lena)
    vote(made, others[0])
    assert seen_by() == {lawyer.name, later.name, *(user.name for user in committee)}


def test_a_committee_declines_once_its_quorum_cannot_be_reached(
    deciders: Cast, ask: Ask, committee: list[User]
) -> None:
    made = ask()
    for member in committee[:2]:
        vote(made, member, "declined", reason="No.")
    assert vote(made, committee[2], "declined", reason="No.").state == "declined"


def test_the_requester_has_no_seat_in_their_own_committee(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    made = ask(requester=committee[1])
    assert committee[1].name not in asked(made)
    with pytest.raises(NotAllowed, match="You requested this"):
        vote(made, committee[1])
    committee[2].is_active = committee[3].is_active = False
    committee[2].save()
    committee[3].save()
    with pytest.raises(Invalid, match="decides with 2, but only 1 may"):
        ask(requester=committee[1])


def test_a_vote_does_not_make_the_form_of_another_stale_and_kills_its_own_link_only(
    deciders: Cast, ask: Ask, committee: list[User]
) -> None:
    made = ask()
    seats = {seat.person_id: seat.number for seat in made.seats.all()}
    vote(made, committee[1], seat=seats[committee[1].pk])
    alive = [link.approver for link in DecisionLink.objects.all() if links.is_alive(link, now())]
    assert committee[1] not in alive
    assert len(alive) == 3
    with pytest.raises(AlreadyDone, match="This part was decided by Ada More"):
        vote(made, committee[1], seat=seats[committee[1].pk])
    with pytest.raises(NotAllowed, match="You have decided your part"):
        vote(made, committee[1])
    assert vote(made, committee[2], version=1, seat=seats[committee[2].pk]).state == "approved"


def test_higher_authority_speaks_for_the_whole_committee_but_not_for_a_function(
    deciders: Cast, ask: Ask, committee: list[User], lawyer: User
) -> None:
    rule("legal", "beside")
    made = ask()
    vote(made, committee[1], "declined", reason="No.")
    made = vote(made, deciders.sponsor, reason="Agreed with the board.")
    assert (made.state, asked(made)) == ("open", ["Aisha Okafor"])
    assert made.log.last().override
    with pytest.raises(NotAllowed):
        vote(made, deciders.committee, reason="And legal too.")
    assert vote(made, lawyer).state == "approved"


def test_higher_authority_waits_for_the_functions_before_it(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal")
    made = ask()
    assert for_user(made, deciders.sponsor, now()).kind == "not_asked"
    with pytest.raises(NotAllowed, match="waits for Aisha Okafor"):
        vote(made, deciders.sponsor, reason="Quick.")


def test_a_vote_is_undone_while_its_stage_is_decided_and_not_after(
    deciders: Cast, ask: Ask, committee: list[User], lawyer: User
) -> None:
    rule("legal", "after")
    made = ask()
    vote(made, committee[1])
    assert deciding.may_undo(made, committee[1], now())
    deciding.undo(request_id=made.pk, by=committee[1])
    assert len(asked(made)) == 4
    vote(made, committee[1])
    vote(made, committee[2])
    with pytest.raises(Stale, match="the next stage was asked"):
        deciding.undo(request_id=made.pk, by=committee[2])
    assert kinds(made) == ["asked", "vote", "undone", "vote", "vote"]


def test_undoing_the_last_word_opens_the_seats_it_settled(deciders: Cast, ask: Ask, committee: list[User]) -> None:
    made = ask()
    vote(made, committee[1])
    made = vote(made, committee[2])
    assert made.state == "approved"
    deciding.undo(request_id=made.pk, by=committee[2])
    made.refresh_from_db()
    assert made.is_open
    assert sorted(asked(made)) == ["Bo More", "Cy More", "Lena Ortiz"]
    assert vote(made, committee[3]).state == "approved"


def test_undoing_an_override_gives_the_committee_its_voice_back(
    deciders: Cast, ask: Ask, committee: list[User]
) -> None:
    made = ask()
    vote(made, deciders.sponsor, "declined", reason="Never.")
    deciding.undo(request_id=made.pk, by=deciders.sponsor)
    assert len(asked(made)) == 4
    vote(made, committee[0])
    assert vote(made, committee[1]).state == "approved"


def test_consulted_people_are_asked_comment_and_block_nothing(deciders: Cast, ask: Ask, lawyer: User) -> None:
    rule("legal", part="consult")
    made = ask()
    assert sorted(asked(made)) == ["Aisha Okafor", "Lena Ortiz"]
    with pytest.raises(NotAllowed):
        vote(made, lawyer)
    talk.comment(request_id=made.pk, by=lawyer, text="Mind the cap.")
    assert made.seats.get(person=lawyer).verdict == "commented"
    assert Message.objects.filter(user=deciders.director, text__contains="Mind the cap.").exists()
    assert vote(made, deciders.director).state == "approved"
    other = ask(concession="contract-term", amount=None)
    assert vote(other, deciders.director).state == "approved"
    assert other.seats.get(person=lawyer).state == "settled"


def test_the_function_a_limit_names_is_consulted(deciders: Cast, ask: Ask, lawyer: User) -> None:
    made = ask(concession="indemnity", amount=None)
    assert sorted(asked(made)) == ["Aisha Okafor", "Dana Whitfield"]


def test_strangers_cannot_comment(deciders: Cast, ask: Ask) -> None:
    with pytest.raises(Refused):
        talk.comment(request_id=ask().pk, by=deciders.outsider, text="Hello")
