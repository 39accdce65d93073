"""Pages of long lists: each row once, in the order of the list, from whichever end they are read."""

import pytest
from django.core.paginator import EmptyPage
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account
from ledger.pagination import DeepPaginator

pytestmark = [pytest.mark.django_db, pytest.mark.both_databases]
ORDERS = (("name", "pk"), ("-health",), ("health", "-name"))


def accounts(number: int) -> None:
    """So many accounts, many with the same name and the same or no health."""
    Account.objects.bulk_create(
        Account(external_id=f"A{each}", name=f"Name {each % 3}", health=None if each % 4 == 0 else each % 2)
        for each in range(number)
    )


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("number", [0, 1, 9, 10, 31])
def test_the_pages_together_are_the_list(order: tuple[str, ...], number: int) -> None:
    accounts(number)
    found = Account.objects.order_by(*order)
    pages = DeepPaginator(found, 5, rows=Account.objects.all())
    seen = [account.pk for page in pages for account in page]
    total = order if "pk" in order else (*order, "pk")
    assert seen == list(Account.objects.order_by(*total).values_list("pk", flat=True))
    assert pages.count == number


def test_a_page_takes_two_queries_wherever_it_is() -> None:
    accounts(50)
    pages = DeepPaginator(Account.objects.order_by("name"), 5, rows=Account.objects.select_related("csm"), count=50)
    for number in (1, 5, 10):
        with CaptureQueriesContext(connection) as captured:
            assert len(pages.page(number)) == 5
        assert len(captured) == 2, number
    with pytest.raises(EmptyPage):
        pages.page(11)


def test_ids_that_were_read_are_not_read_again() -> None:
    accounts(7)
    ids = list(Account.objects.order_by("-pk").values_list("pk", flat=True))
    pages = DeepPaginator(ids, 5, rows=Account.objects.all())
    assert [account.pk for account in pages.page(2)] == ids[5:]
