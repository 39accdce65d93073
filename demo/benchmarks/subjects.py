"""What the bench asks for in a filled database: people with sessions and tokens, cases, accounts and words."""

import json
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from html import unescape
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connection
from django.test import Client
from rest_framework.authtoken.models import Token

from accounts.models import Account, User
from demo.benchmarks.floors import TITLE
from demo.benchmarks.preparing import FIRST_CSM, LONG_TITLE
from demo.fill import FILLED
from demo.people import address
from escalations.models import Escalation
from ledger.now import now

EXECUTIVE, DIRECTOR, CSM, WRITER = "executive", "director", "CSM", "writer"
PEOPLE = {
    EXECUTIVE: address("dana"),
    DIRECTOR: address("lena"),
    CSM: FIRST_CSM,
    # Cases are opened for another CSM, so that the pages of the first stay as they are.
    WRITER: "csm-2@filled.example",
}
LAST_LINK = re.compile(r'href="([^"]+)">\s*Last\s*<')
SAMPLE = 2_000
SHORTEST_WORD = 5


@dataclass(frozen=True)
class Visitor:
    """A signed-in person: session key and token of the API."""

    session: str
    token: str


@dataclass(frozen=True)
class Subjects:
    """Ids and words. `accounts`: where the writer opens cases."""

    visitors: dict[str, Visitor]
    case: str
    long_case: str
    account: int
    accounts: list[int]
    open_cases: int
    last_page: str
    common: str
    region: str
    issue_type: str
    deadline: str
    year: str

    @classmethod
    def read(cls, text: str) -> "Subjects":
        """From JSON."""
        given = json.loads(text)
        visitors = {name: Visitor(**each) for name, each in given["visitors"].items()}
        return cls(**{**given, "visitors": visitors})

    def __str__(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self))


def find() -> Subjects:
    """The subjects of this database, with new sessions."""
    people = {name: User.objects.get(email=email) for name, email in PEOPLE.items()}
    at, opened = now(), Escalation.objects.open()
    typical = opened.filter(account__source=FILLED, owner__isnull=False).order_by("log_count", "pk")
    case = typical[typical.count() // 2]
    written = Account.objects.filter(csm=people[WRITER])
    return Subjects(
        visitors={name: visitor(user) for name, user in people.items()},
        case=case.key,
        long_case=Escalation.objects.filter(title=LONG_TITLE).latest("pk").key,
        account=case.account_id,
        accounts=list(written.order_by("pk").values_list("pk", flat=True)),
        open_cases=opened.count(),
        last_page=_last_page(people[EXECUTIVE]),
        common=_common(Escalation.objects.order_by("-pk").values_list("title", flat=True)[:SAMPLE]),
        region=people[EXECUTIVE].region,
        issue_type=case.issue_type.slug,
        deadline=(at + timedelta(days=10)).replace(tzinfo=None).isoformat(timespec="minutes"),
        year=urlencode({"from": at.date() - timedelta(days=364), "to": at.date()}),
    )


def _last_page(user: User) -> str:
    """The query string of the last page of the queue, as its first page links to it."""
    client = Client(HTTP_HOST="localhost")
    client.force_login(user, settings.AUTHENTICATION_BACKENDS[-1])
    link = LAST_LINK.search(client.get("/escalations/").content.decode())
    return unescape(link.group(1)).rpartition("?")[2] if link else "page=100000"


def _common(titles: Iterable[str]) -> str:
    """The word that most titles have."""
    words = Counter(word.lower() for title in titles for word in {*title.split()} if word.isalpha())
    return next(word for word, _ in words.most_common() if len(word) >= SHORTEST_WORD)


def visitor(user: User) -> Visitor:
    """A new session and the token of a person."""
    return Visitor(_session(user), str(Token.objects.get_or_create(user=user)[0].key))


def _session(user: User) -> str:
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def tidy() -> None:
    """Delete what the floor of creating a case wrote."""
    Escalation.objects.filter(title=TITLE)._raw_delete(connection.alias)
