"""The account list, one account, and logging a signal, told by people who may and people who may not."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from accounts.customers import health, panels, portfolio
from accounts.customers.rates import rates
from accounts.customers.rules.health import HealthInputs
from accounts.models import Account, AccountWords, Signal, User
from accounts.signals import record as signals
from ledger.now import now
from ledger.search import index
from tests.support.cast import Cast

pytestmark = pytest.mark.django_db
Browse = Callable[[User], Client]
LIST = "/accounts/"


def names(answer: Any) -> list[str]:
    """Accounts on the page, in order."""
    return [row.account.name for row in answer.context["rows"]]


def add(key: str, **values: Any) -> Account:
    """One more account."""
    account = Account.objects.create(**{"external_id": key, "name": key, **values})
    index.add(AccountWords, account)
    return account


def test_visitors_are_sent_to_sign_in(client: Client, db: None) -> None:
    assert client.get(LIST).status_code == 302


def test_a_csm_sees_own_accounts_a_director_the_tree_a_sponsor_all(cast: Cast, browse: Browse) -> None:
    assert names(browse(cast.csm).get(LIST)) == ["Northwind Logistics"]
    assert names(browse(cast.outsider).get(LIST)) == ["Harbor Health"]
    assert names(browse(cast.director).get(LIST)) == ["Northwind Logistics"]
    assert len(names(browse(cast.sponsor).get(LIST))) == 2


def test_foreign_accounts_are_not_found_on_any_address(cast: Cast, browse: Browse) -> None:
    outsider = browse(cast.outsider)
    for name in ("detail", "log_signal"):
        address = reverse(f"accounts:{name}", args=[cast.northwind.pk])
        assert outsider.get(address).status_code == 404
        assert outsider.post(address, {"kind": "note", "text": "x"}).status_code in (404, 405)
    assert not Signal.objects.exists()


def test_the_highest_weighted_risk_stands_first_compared_in_usd(cast: Cast, browse: Browse) -> None:
    add("Euro", arr=Decimal(170_000), currency="EUR", health=62, csm=cast.csm)
    add("Calm", arr=Decimal(900_000), health=99, csm=cast.csm)
    add("Unknown", arr=Decimal(900_000), csm=cast.csm)
    assert names(browse(cast.csm).get(LIST)) == ["Euro", "Northwind Logistics", "Calm", "Unknown"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("health=red", ["Red"]),
        ("health=yellow", ["Northwind Logistics"]),
        ("health=unknown", ["Late"]),
        ("renewal=90", ["Northwind Logistics", "Late"]),
        ("renewal=30", []),
        ("q=north", ["Northwind Logistics"]),
        ("q=NORTHWIND.example", ["Northwind Logistics"]),
        ("q=%00", ["Red", "Northwind Logistics", "Late"]),
        ("view=suppliers", ["Steel"]),
        ("view=red", ["Red"]),
        ("view=mine&kind=supplier", ["Steel"]),
        ("segment=Enterprise", ["Red"]),
        ("view=nonsense&health=x&renewal=y&page=z", ["Red", "Northwind Logistics", "Late"]),
    ],
)
def test_views_filters_and_search_narrow_the_list(cast: Cast, browse: Browse, query: str, found: list[str]) -> None:
    add("Red", arr=Decimal(500_000), health=12, csm=cast.csm, segment="Enterprise")
    add("Late", csm=cast.csm, renewal_date=(now() + timedelta(days=80)).date())
    add("Steel", csm=cast.csm, kind="supplier")
    assert names(browse(cast.csm).get(f"{LIST}?{query}")) == found


def test_the_strip_counts_customers_by_health_with_their_arr(cast: Cast, browse: Browse) -> None:
    add("Red", arr=Decimal(500_000), health=12, csm=cast.csm)
    tiles = {tile.name: (tile.count, tile.arr) for tile in browse(cast.csm).get(LIST).context["tiles"]}
    assert tiles["red"] == (1, Decimal(500_000))
    assert tiles["yellow"] == (1, Decimal(180_000))
    assert tiles["green"] == (0, Decimal(0))
    assert tiles["renewal"] == (1, Decimal(180_000))


def test_more_accounts_than_fit_are_paged(cast: Cast, browse: Browse) -> None:
    for number in range(30):
        add(f"N{number}", csm=cast.csm)
    assert len(names(browse(cast.csm).get(LIST))) == 25
    assert len(names(browse(cast.csm).get(f"{LIST}?page=2"))) == 6


@pytest.mark.parametrize("query", ["", "q=n", "health=yellow"])
def test_the_pages_hold_every_account_once_in_the_order_of_one_long_list(
    cast: Cast, browse: Browse, query: str
) -> None:
    for number in range(60):
        same = {"name": f"N{number % 7}", "arr": Decimal(number % 5), "health": 40 + number % 3}
        add(f"X{number}", **same, csm=cast.csm)
    browser, seen = browse(cast.csm), []
    pages = browser.get(f"{LIST}?{query}").context["page"].paginator.num_pages
    for page in range(1, pages + 1):
        seen += browser.get(f"{LIST}?{query}&page={page}").context["rows"]
    ids = [row.account.pk for row in seen]
    wanted = {key: value for key, _, value in [query.partition("=")] if key}
    assert ids == [account.pk for account in portfolio.select(cast.csm, wanted, now().date(), rates(now().date()))]


@pytest.mark.both_databases
def test_the_counts_above_the_list_are_those_of_the_lists(cast: Cast, browse: Browse) -> None:
    add("Red", arr=Decimal(500_000), health=12, csm=cast.csm, currency="EUR")
    add("Late", ae=cast.csm, renewal_date=(now() + timedelta(days=50)).date())
    add("Steel", csm=cast.csm, kind="supplier", health=10)
    add("Friend", csm=cast.csm, kind="partner")
    today = now().date()
    for person in (cast.csm, cast.director, cast.sponsor, cast.legal):
        found = portfolio.overview(person, today)
        for view, count in found.counts.items():
            assert portfolio.select(person, {"view": view}, today, found.worth).count() == count, view
        for tile in found.tiles:
            wanted = {"view": "renewal"} if tile.name == "renewal" else {"health": tile.name}
            rows = portfolio.select(person, wanted, today, found.worth)
            assert (tile.count, tile.arr) == (len(rows), sum(row.usd_arr or 0 for row in rows)), tile.name


def test_the_list_and_the_page_take_the_same_queries_for_1_3_and_50(cast: Cast, browse: Browse) -> None:
    browser = browse(cast.csm)
    detail = reverse("accounts:detail", args=[cast.northwind.pk])

    def queries(address: str) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert browser.get(address).status_code == 200
        return len(captured)

    signals.record(
        signals.Observed(kind="note", text="one", contact=cast.contact), account=cast.northwind, logged_by=cast.csm
    )
    one = queries(LIST), queries(detail)
    for number in range(2):
        other = add(f"Other {number}", arr=Decimal(5), health=50, csm=cast.csm)
        health.refresh(account=other, inputs=HealthInputs(usage=20))
        signals.record(
            signals.Observed(kind="note", text="more", contact=cast.contact), account=cast.northwind, logged_by=cast.csm
        )
        cast.northwind.subscriptions.create(external_id=f"S{number}")
    assert (queries(LIST), queries(detail)) == one
    for number in range(47):
        add(f"More {number}", arr=Decimal(number), health=50, csm=cast.csm)
        cast.northwind.contacts.create(name="C", email=f"c{number}@northwind.example")
    assert (queries(LIST), queries(detail)) == one
    assert queries(f"{LIST}?page=2") == one[0]


def test_the_export_holds_what_the_person_may_see_and_no_formula(cast: Cast, browse: Browse) -> None:
    add("=HYPERLINK(1)", csm=cast.csm)
    text = browse(cast.csm).get(reverse("accounts:export")).content.decode()
    assert "Northwind Logistics" in text
    assert ",'=HYPERLINK(1)," in text
    assert "Harbor" not in text


def page(browse: Browse, person: User, account: Account, query: str = "") -> str:
    """The account's page as text."""
    return browse(person).get(reverse("accounts:detail", args=[account.pk]) + query).content.decode()


def test_the_page_explains_the_health_and_shows_the_words_that_were_flagged(cast: Cast, browse: Browse) -> None:
    signals.record(
        signals.Observed(kind="email", text="<b>We will cancel our contract</b>", contact=cast.contact),
        account=cast.northwind,
    )
    health.refresh(account=cast.northwind, inputs=health.known_inputs(cast.northwind))
    text = page(browse, cast.csm, cast.northwind)
    assert "recent tone is" in text
    assert '<mark class="phrase">We will cancel</mark>' in text or '<mark class="phrase">' in text
    assert "&lt;b&gt;" in text
    assert "<b>We" not in text
    assert "Jonas Thiel" in text
    assert f"/escalations/new/?account={cast.northwind.pk}" in text


def test_an_account_without_health_says_so(cast: Cast, browse: Browse) -> None:
    assert "No health yet" in page(browse, cast.outsider, cast.elsewhere)


def test_a_supplier_has_no_arr_and_no_renewal(cast: Cast, browse: Browse) -> None:
    text = page(browse, cast.csm, add("Steel", csm=cast.csm, kind="supplier"))
    assert "Weighted risk" not in text
    assert "Contracts" not in text


def test_signals_can_be_narrowed_to_the_negative_ones(cast: Cast, browse: Browse) -> None:
    signals.record(signals.Observed(kind="note", text="All is fine, great work."), account=cast.northwind)
    signals.record(signals.Observed(kind="note", text="This is unacceptable."), account=cast.northwind)
    assert "great work" in page(browse, cast.csm, cast.northwind)
    assert "great work" not in page(browse, cast.csm, cast.northwind, "?signals=negative")


def test_older_signals_are_one_click_away(cast: Cast, browse: Browse) -> None:
    for number in range(12):
        signals.record(signals.Observed(kind="note", text=f"note {number}"), account=cast.northwind)
    assert "2 older signals" in page(browse, cast.csm, cast.northwind)
    assert "note 0" in page(browse, cast.csm, cast.northwind, "?older")


class Greeting(panels.AccountPanel):
    """A block that greets, except people of the account Empty."""

    title = "Cases for the reader"
    template = "components/empty.html"

    def read(self, account: Account, user: User) -> dict[str, Any] | None:
        """Nothing for one account."""
        return None if account.name == "Empty" else {"title": f"Cases for {user.name}"}


def test_apps_above_add_blocks_to_the_page(cast: Cast, browse: Browse, settings: Settings) -> None:
    settings.ACCOUNT_PANELS = [f"{__name__}.Greeting"]
    assert panels.check_panels() == []
    assert "Cases for the reader" in page(browse, cast.csm, cast.northwind)
    cast.northwind.name = "Empty"
    cast.northwind.save()
    assert "Cases for the reader" not in page(browse, cast.csm, cast.northwind)


def test_a_block_that_is_none_is_reported(settings: Settings) -> None:
    settings.ACCOUNT_PANELS = [f"{__name__}.page", "accounts.models.Missing"]
    first, second = (error.msg for error in panels.check_panels())
    assert first == f"ACCOUNT_PANELS: {__name__}.page is no AccountPanel with a title and a template."
    assert second.startswith("ACCOUNT_PANELS: accounts.models.Missing cannot be loaded")


def log(browse: Browse, cast: Cast, **values: str) -> Any:
    """Send the form."""
    filled = {"kind": "call", "text": "They called.", "at": "2026-01-05T10:30", **values}
    return browse(cast.csm).post(reverse("accounts:log_signal", args=[cast.northwind.pk]), filled)


def test_a_logged_counterproposal_keeps_who_when_what_and_the_concession(cast: Cast, browse: Browse) -> None:
    answer = log(
        browse,
        cast,
        kind="counterproposal",
        contact=str(cast.contact.pk),
        amount="1200.50",
        currency="EUR",
        with_concession="yes",
    )
    assert answer.status_code == 302
    signal = Signal.objects.get()
    assert (signal.kind, signal.contact, signal.logged_by) == ("counterproposal", cast.contact, cast.csm)
    assert (signal.amount, signal.currency, signal.with_concession) == (Decimal("1200.50"), "EUR", True)
    assert signal.at.isoformat() == "2026-01-05T15:30:00+00:00"


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"text": " "}, "Enter what was said or seen."),
        ({"at": ""}, "Enter a date and time."),
        ({"at": "2999-01-01T10:00"}, "Enter a time in the past."),
        ({"amount": "5"}, "Choose the currency of the amount."),
        ({"kind": "gossip"}, "gossip is not one of the available choices"),
        ({"amount": "0", "currency": "USD"}, "Enter an amount above 0"),
    ],
)
def test_a_form_that_lacks_something_says_what_and_keeps_the_rest(
    cast: Cast, browse: Browse, values: dict[str, str], words: str
) -> None:
    answer = log(browse, cast, **values)
    assert answer.status_code == 422
    text = answer.content.decode()
    assert words in text
    assert "There is a problem" in text
    assert "<title>Error:" in text
    assert not Signal.objects.exists()


def test_a_contact_of_another_account_cannot_be_chosen(cast: Cast, browse: Browse) -> None:
    stranger = cast.elsewhere.contacts.create(name="S", email="s@harbor.example")
    assert log(browse, cast, contact=str(stranger.pk)).status_code == 422


def test_reading_pages_changes_nothing(cast: Cast, browse: Browse) -> None:
    before = Account.history.count(), Signal.objects.count()
    page(browse, cast.csm, cast.northwind)
    browse(cast.csm).get(reverse("accounts:log_signal", args=[cast.northwind.pk]))
    assert (Account.history.count(), Signal.objects.count()) == before


def test_account_pages_answer_head_like_get(cast: Cast, browse: Browse) -> None:
    csm = browse(cast.csm)
    pages = [LIST, reverse("accounts:export"), reverse("accounts:detail", args=[cast.northwind.pk])]
    pages += [reverse("accounts:log_signal", args=[cast.northwind.pk]), reverse("accounts:profile")]
    assert [csm.head(page).status_code for page in pages] == [200] * len(pages)
    operator = browse(cast.ops)
    assert [operator.head(reverse(f"accounts:{name}")).status_code for name in ("imports", "import_new")] == [200, 200]
