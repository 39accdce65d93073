"""An account or a person that is typed: who fits, who is suggested, and what is said if it is unclear."""

from collections.abc import Callable

import pytest
from django import forms
from django.test import Client

from accounts.fields import AccountField, find_person, named
from accounts.models import Account, User
from accounts.people.choosing import with_a_role
from ledger.now import now
from tests.support.cast import Cast, person

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
Browse = Callable[[User], Client]


def field(user: User) -> AccountField:
    """The field of a form that this person fills in."""
    made = AccountField()
    made.offer(Account.objects.visible_to(user))
    return made


@pytest.mark.parametrize("text", ["Northwind Logistics", "northwind logistics", "  Northw "])
def test_an_account_is_found_by_its_name_or_the_start_of_it(cast: Cast, text: str) -> None:
    assert field(cast.sponsor).clean(text) == cast.northwind
    assert field(cast.sponsor).clean(str(cast.northwind.pk)) == cast.northwind
    assert field(cast.sponsor).clean(" ") is None


def test_an_exact_name_wins_over_longer_ones_and_several_are_named(cast: Cast) -> None:
    for name in ("North", "North Sea", "North Star"):
        Account.objects.create(external_id=name, name=name)
    given = field(cast.sponsor)
    assert given.clean("north").name == "North"  # type: ignore[union-attr]
    with pytest.raises(forms.ValidationError, match="North Sea; North Star"):
        given.clean("North S")
    assert 'value="North Sea"' in given.widget.render("account", "", {"id": "a"})


def test_accounts_that_the_person_may_not_open_do_not_fit(cast: Cast) -> None:
    for text in ("Harbor Health", str(cast.elsewhere.pk)):
        with pytest.raises(forms.ValidationError, match="no account with that name"):
            field(cast.csm).clean(text)


def test_few_accounts_are_suggested_at_once_and_many_only_while_typing(cast: Cast) -> None:
    assert 'value="Northwind Logistics"' in field(cast.sponsor).widget.render("account", "", {"id": "a"})
    Account.objects.bulk_create(Account(external_id=f"M{number}", name=f"Many {number}") for number in range(60))
    assert "<option" not in field(cast.sponsor).widget.render("account", "", {"id": "a"})


def test_suggestions_hold_only_accounts_the_viewer_may_open(cast: Cast, browse: Browse) -> None:
    def suggested(user: User, text: str) -> str:
        return browse(user).get("/accounts/names/", {"account": text}).content.decode()

    assert "Northwind Logistics" in suggested(cast.csm, "logis")
    assert suggested(cast.csm, "harbor") == ""
    assert "Harbor Health" in suggested(cast.sponsor, "harbor")
    assert suggested(cast.csm, "n") == ""


def test_a_person_is_found_by_mail_address_name_or_the_only_start(cast: Cast) -> None:
    person("priya.two@desk.example", "Priya Rao", "csm")
    people = with_a_role(now())
    for text in (named(cast.csm), "priya@desk.example", "priya raman", "Priya Ram"):
        assert find_person(people, text) == cast.csm, text
    with pytest.raises(forms.ValidationError, match=r"Several people fit: Priya Raman, priya@desk\.example; Priya Rao"):
        find_person(people, "Priya")
    for text in ("Nobody", "nobody@desk.example"):
        with pytest.raises(forms.ValidationError, match="Nobody here"):
            find_person(people, text)


def test_only_active_people_with_a_role_are_suggested(cast: Cast, browse: Browse) -> None:
    left = person("pria@desk.example", "Pria Left", "csm")
    User.objects.filter(pk=left.pk).update(is_active=False)
    User.objects.create_user("prim@desk.example", "x", name="Prim Norole")
    found = browse(cast.ae).get("/people/names/", {"owner": "pri"}).content.decode()
    assert "Priya Raman, priya@desk.example" in found
    assert "Pria Left" not in found
    assert "Prim Norole" not in found
