"""Every automatic and every broken mail, sent to a live reply address in the approver's name with our server's word for it,
decides nothing. The long form takes all of them, the short one some, always the same."""

import random
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from pytest_django import Settings

from approvals.models import ApprovalRequest, ConcessionType
from messaging.inbound import receive as inbound
from messaging.inbound.parsing.reader import MailReader
from messaging.models import InboundMail
from tests.approvals.mail.replies import AUTHSERV, VOUCHED, raw_reply, receive, token_of
from tests.support.cast import Cast

Ask = Callable[..., ApprovalRequest]
SHORT, SEED = 20, 20260302
pytestmark = [pytest.mark.django_db, pytest.mark.prove]


@pytest.fixture(autouse=True)
def _one_reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The reading process, started once for all mails instead of once for each."""
    with MailReader() as reader:
        monkeypatch.setattr(inbound, "parse_in_child", reader.parse)
        yield


@pytest.fixture(autouse=True)
def _replies_are_on(settings: Settings, deciders: Cast) -> None:
    settings.AUTHSERV_ID, settings.MAIL_DOMAIN = AUTHSERV, "desk.example"
    ConcessionType.objects.update(reply_up_to=Decimal(20))


def in_her_name(raw: bytes, token: str) -> bytes:
    """The same mail, as if the approver had sent it to the reply address and our server had vouched for it."""
    head, blank, body = (
        re.split(rb"(\r?\n\r?\n)", raw, maxsplit=1) if re.search(rb"\r?\n\r?\n", raw) else (raw, b"\n\n", b"")
    )
    without = re.sub(rb"(?im)^(?:from|to|authentication-results):.*(?:\r?\n[ \t].*)*\r?\n?", b"", head)
    ours = f"{VOUCHED}From: Lena Ortiz <lena@desk.example>\r\nTo: approve+{token}@desk.example\r\n"
    return in_the_line_ends_of(raw, ours) + without + blank + body


def in_the_line_ends_of(raw: bytes, ours: str) -> bytes:
    """As a mail server writes its headers: mixed line ends would be doubted for themselves."""
    return (ours if b"\r\n" in raw else ours.replace("\r\n", "\n")).encode()


@pytest.mark.timeout(900)
def test_no_mail_from_the_wild_decides_anything(ask: Ask, real_data: Path, proving: bool) -> None:
    folder = real_data / "5_mail"
    files = sorted((folder / "auto").glob("*.eml")) + sorted((folder / "malformed").glob("*.eml"))
    assert files
    if not proving and len(files) > SHORT:
        files = random.Random(SEED).sample(files, SHORT)
    made = ask()
    token = token_of(made)
    reached = 0
    for number, file in enumerate(files):
        # Two ways: in the approver's name, and as it came with our headers on top.
        for raw in (in_her_name(file.read_bytes(), token), prepended(file.read_bytes(), token)):
            mail = inbound.receive(raw=raw)
            reached += f"approve+{token}@desk.example" in mail.recipients
            made.refresh_from_db()
            assert (made.state, made.version) == ("open", 1), f"{number}: {file.name}"
    assert not made.log.exclude(kind__in=("asked", "comment")).exists()
    assert reached > len(files)
    assert InboundMail.objects.filter(state="automatic").exists()
    # The address was good all the time.
    receive(token, "Approve", number=99_999)
    made.refresh_from_db()
    assert made.state == "approved"


def prepended(raw: bytes, token: str) -> bytes:
    """Our headers on top of the mail as it came."""
    ours = f"{VOUCHED}Delivered-To: approve+{token}@desk.example\r\nFrom: Lena Ortiz <lena@desk.example>\r\n"
    return in_the_line_ends_of(raw, ours) + raw.lstrip(b"\r\n")


def test_the_harness_would_notice_a_decision(ask: Ask) -> None:
    made = ask()
    token = token_of(made)
    raw = raw_reply("", "Approve", sender="Bo <bo@x.example>", proof="", to="someone@x.example")
    assert inbound.receive(raw=in_her_name(raw, token)).state == "claimed"
    made.refresh_from_db()
    assert made.state == "approved"
