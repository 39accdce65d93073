"""Notifications are headed by the case as its reader knows it."""

import pytest
from django.urls import reverse

from escalations.models import Escalation
from messaging.outbox import notices
from tests.escalations.cases.builders import opened
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def case(cast: Cast) -> Escalation:
    """A case of the CSM."""
    return opened(cast)


def test_a_group_is_headed_by_key_title_and_account(cast: Cast, case: Escalation, client) -> None:
    client.force_login(cast.csm)
    notices.tell(users=[cast.csm], key="n", kind="x", text="News", url="/somewhere/", case_key=case.key)
    page = client.get(reverse("messaging:notifications"))
    heads = [group.title for group in page.context["groups"] if group.case_key == case.key]
    assert heads == [f"{case.title}, {cast.northwind.name}"]
    assert f"{case.key}: <span" in page.content.decode()


def test_a_case_that_the_reader_does_not_see_keeps_its_title(cast: Cast, case: Escalation, client) -> None:
    notices.tell(users=[cast.outsider], key="n", kind="x", text="News", url="/somewhere/", case_key=case.key)
    notices.tell(users=[cast.outsider], key="m", kind="x", text="Other", url="/somewhere/")
    notices.tell(users=[cast.outsider], key="o", kind="x", text="Odd", url="/somewhere/", case_key="OLD-x")
    client.force_login(cast.outsider)
    page = client.get(reverse("messaging:notifications")).content.decode()
    assert case.title not in page
    assert page.count("you cannot open this case") == 2
    assert "Other news" in page


def test_the_titles_are_one_query(cast: Cast, client, django_assert_max_num_queries) -> None:
    counts = []
    client.force_login(cast.csm)
    for number in range(3):
        case = opened(cast, title=f"Case {number}")
        notices.tell(users=[cast.csm], key=f"n{number}", kind="x", text="News", url="/", case_key=case.key)
        if number in (0, 2):
            with django_assert_max_num_queries(40) as captured:
                client.get(reverse("messaging:notifications"))
            counts.append(len(captured))
    assert counts[0] == counts[1]
