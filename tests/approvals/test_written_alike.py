"""One request, read in four places: its page, the mail to its approver, the printed record and the decision log."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape

import pypdf
import pytest
import time_machine
from django.test import Client

from accounts.models import ExchangeRate, User
from approvals.models import ApprovalRequest, AuthorityLimit
from approvals.pdf.brief import brief_pdf
from ledger.errors import Invalid
from messaging.models import Message
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
ASKED = datetime(2030, 1, 21, 14, 12, tzinfo=UTC)
DEADLINE = datetime(2030, 1, 23, 22, 0, tzinfo=UTC)
READ = ASKED + timedelta(days=1)


@pytest.fixture(autouse=True)
def _everybody_in_utc(deciders: Cast) -> None:
    User.objects.update(zone="UTC")


def printed(data: bytes) -> str:
    """The text of a PDF, in one line."""
    return " ".join("".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(data)).pages).split())


def written(made: ApprovalRequest, client: Client) -> dict[str, str]:
    """What its approver reads of a request, the day after it was made."""
    mail = Message.objects.filter(user=made.approver, kind="approval").latest("id")
    with time_machine.travel(READ, tick=False):
        client.force_login(made.approver)
        address = f"/approvals/{made.pk}/"
        page = unescape(client.get(address).content.decode())
        record = printed(client.get(f"{address}log.pdf").content)
        log = client.get(f"{address}log.csv").content.decode()
    return {"page": " ".join(page.split()), "mail": f"{mail.subject} {mail.text}", "record": record, "log": log}


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [("1200.50", "EUR", "€1,200.50"), ("1201", "JPY", "¥1,201"), ("1.23", "KWD", "KWD 1.230")],
)
def test_an_amount_is_written_alike_wherever_it_is_read(
    deciders: Cast, ask: Ask, client: Client, amount: str, currency: str, words: str
) -> None:
    ExchangeRate.objects.create(currency=currency, on="2020-01-01", usd=Decimal(1))
    # A limit of the same amount, so that the log says it too.
    limits = AuthorityLimit.objects.filter(concession__slug="refund", role__slug__in=["csm", "team-lead"])
    limits.filter(role__slug="csm").update(up_to=1, currency=currency)
    limits.filter(role__slug="team-lead").update(up_to=Decimal(amount), currency=currency)
    with time_machine.travel(ASKED, tick=False):
        made = ask(concession="refund", amount=Decimal(amount), currency=currency, deadline=DEADLINE)
    found = written(made, client)
    assert [place for place, text in found.items() if words not in text] == []


def test_a_moment_is_written_alike_and_names_its_zone(deciders: Cast, ask: Ask, client: Client) -> None:
    with time_machine.travel(ASKED, tick=False):
        made = ask(deadline=DEADLINE)
        brief = printed(brief_pdf(made))
    found = written(made, client)
    assert "Wed Jan 23, 10:00 PM UTC" in found["mail"]
    assert "Wed Jan 23, 2030, 10:00 PM UTC" in brief, "paper is read in another year too"
    assert "Mon Jan 21, 2:12 PM UTC" in found["page"]
    assert "Mon Jan 21, 2030, 2:12:00 PM UTC" in found["record"], "a proof names the second"
    assert "at (UTC)" in found["log"]
    assert "2030-01-21 14:12:00" in found["log"], "a table for machines names the zone in its head"


@pytest.mark.parametrize(
    ("amount", "currency", "words"),
    [
        ("1200.50", "JPY", "JPY has no decimals. Enter a whole amount, such as 1201."),
        ("1.234", "KWD", "Amounts are kept with 2 decimals. Enter 1.23 or another amount with at most 2."),
    ],
)
def test_more_decimals_than_its_currency_has_are_refused(
    deciders: Cast, ask: Ask, amount: str, currency: str, words: str
) -> None:
    ExchangeRate.objects.create(currency=currency, on="2020-01-01", usd=Decimal(1))
    with pytest.raises(Invalid) as refused:
        ask(concession="refund", amount=Decimal(amount), currency=currency)
    assert (refused.value.field, refused.value.message) == ("amount", words)
