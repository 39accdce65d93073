"""Many cases for measuring: copies of the demo's cases, by `INSERT … SELECT`, with logs that are signed again.

A copy has ids, a key, an account and people of its own. What ended is moved back by whole weeks over the last three years;
what is open keeps its times, so that its clocks agree with their history and their calendar.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import cycle, islice
from time import monotonic
from typing import Any

from django.core.management.color import no_style
from django.db import connection, transaction
from django.db.models import Max

from accounts.customers.accounts import announce
from accounts.models import Account, AccountWords, Contact, Role, RoleHolding, User, UserWords
from approvals.models import ApprovalRequest, DecisionEntry, Seat
from demo.chance import Chance
from demo.companies import DEMO
from demo.copies import Copy, Line, Model, Row, Template, insert, signed
from escalations import states
from escalations.cases import access_rows
from escalations.models import (
    Action,
    BriefPart,
    BriefSnapshot,
    CasePerson,
    CaseRequest,
    CaseWords,
    Clock,
    Commitment,
    Escalation,
    Event,
    EventText,
    HandOff,
    Review,
)
from ledger.errors import Invalid
from ledger.now import now
from ledger.search import index

BATCH = 500
WEEKS = 3 * 52
OPEN_SHARE = 0.03
CASES_PER_ACCOUNT, ACCOUNTS_PER_PERSON, MOST_PEOPLE = 5, 10, 2000
FILLED = "filled"

# In the order in which they are written. Event and DecisionEntry are signed, so they are made in Python.
COPIED: tuple[Model, ...] = (
    Escalation, CasePerson, BriefPart, BriefSnapshot, HandOff, Clock, EventText, Action, Commitment, Review,
    ApprovalRequest, Seat, CaseRequest,
)  # fmt: skip
SIGNED: tuple[Model, ...] = (Event, DecisionEntry)
MODELS = (*COPIED, *SIGNED)
# The columns of the table of copies: what is plain in a `Copy`, and its shifts.
PLAIN = ("case_id", "new_case", "days", "account_id", "old_name", "new_name", "old_csm", "csm", "old_ae", "ae")
SHIFTED = tuple(f"shift_{model._meta.model_name}" for model in MODELS)
# How the case of a row is found where it has no column case_id: the column, and the table that knows.
OF_CASE: dict[Model, tuple[str, str]] = {
    Escalation: ("t.id", ""),
    EventText: ("o.case_id", "JOIN escalations_event o ON o.text_id = t.id"),
    ApprovalRequest: ("o.case_id", "JOIN escalations_caserequest o ON o.request_id = t.id"),
    Seat: ("o.case_id", "JOIN escalations_caserequest o ON o.request_id = t.request_id"),
}


@dataclass
class Progress:
    """The progress, for the line that is printed."""

    done: int
    of: int
    rows: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Cases a second so far."""
        return self.done / self.seconds if self.seconds else 0.0


def fill(cases: int, seed: int, tell: Callable[[Progress], None], *, open_share: float = OPEN_SHARE) -> Progress:
    """Add this number of cases; 3 % of them are open. Raises Invalid if there are no demo cases to copy."""
    begun, progress = monotonic(), Progress(0, cases)
    templates = _templates()
    with transaction.atomic():
        accounts = _accounts(max(10, cases // CASES_PER_ACCOUNT), Chance(seed + 1))
        sources = _Sources(templates)
    copies = _plan(cases, templates, accounts, Chance(seed), open_share, sources)
    try:
        while batch := list(islice(copies, BATCH)):
            with transaction.atomic():
                _skip_reference_checks()
                progress.rows += _write(batch, templates)
            progress.done += len(batch)
            progress.seconds = monotonic() - begun
            tell(progress)
    finally:
        with connection.cursor() as cursor:
            for statement in sources.undo:
                cursor.execute(statement)
    return progress


def _skip_reference_checks() -> None:
    """Let PostgreSQL write this transaction's rows without looking up what they refer to, which takes as long as writing them.
    A copy refers to its own rows and to what its template refers to. Only a superuser may."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT current_setting('is_superuser') = 'on'")
            if cursor.fetchone()[0]:
                cursor.execute("SET LOCAL session_replication_role = replica")


def _templates() -> dict[int, Template]:
    """Cases of customers that are open today, and those that ended with nothing left to fall due."""
    rows = Escalation.objects.filter(account__source=DEMO, account__csm__isnull=False, account__ae__isnull=False)
    ended = rows.filter(state__in=states.ENDED).exclude(clocks__state__in=[Clock.RUNNING, Clock.PAUSED])
    found = {
        case.pk: Template(case) for case in [*ended.select_related("account"), *rows.open().select_related("account")]
    }
    if not found:
        raise Invalid("There are no demo cases to copy. Run seed_demo on an empty database first.")
    for event in Event.objects.filter(case__in=found).order_by("case_id", "seq"):
        found[event.case_id].events.append(Line(event))
    requests = dict(CaseRequest.objects.filter(case__in=found).values_list("request_id", "case_id"))
    for entry in DecisionEntry.objects.filter(request__in=requests).order_by("request_id", "seq"):
        found[requests[entry.request_id]].decisions.setdefault(entry.request_id, []).append(Line(entry))
    return found


def _plan(
    cases: int,
    templates: dict[int, Template],
    accounts: Sequence[Account],
    chance: Chance,
    open_share: float,
    sources: "_Sources",
) -> Iterator[Copy]:
    """Which template, when and for whom, the oldest first: numbers follow the calendar."""
    at = now()
    still_open = [each for each in templates.values() if each.case.is_open]
    ended = [each for each in templates.values() if not each.case.is_open]
    drawn = []
    for place in range(cases):
        if place < round(cases * open_share):
            drawn.append((chance.of(still_open), 0))
        else:
            template = chance.of(ended)
            age = (at - template.case.opened_at).days // 7
            drawn.append((template, 7 * chance.whole(1, max(1, WEEKS - age))))
    drawn.sort(key=lambda each: each[0].case.opened_at - timedelta(days=each[1]))
    number = Escalation.objects.aggregate(last=Max("pk"))["last"] or 0
    for place, (template, days) in enumerate(drawn, start=1):
        old, new = template.case.account, accounts[place * 7919 % len(accounts)]
        yield Copy(template.case.pk, number + place, days, new.pk, old.name, new.name, old.csm_id, new.csm_id,
                   old.ae_id, new.ae_id, sources.shifts(template.case.pk))  # fmt: skip


class _Sources:
    """The rows of the templates in tables of their own, and which ids their copies get.

    Ids grow from copy to copy, so that tables and indexes grow at their end.
    """

    def __init__(self, templates: dict[int, Template]) -> None:
        self.undo = ["DROP TABLE IF EXISTS fill_copy"]
        self.next: dict[Model, int] = {}
        self.ids: dict[tuple[Model, int], tuple[int, int]] = {}
        chosen = ", ".join(str(pk) for pk in templates)
        columns = ", ".join(f"{name} {'text' if name.endswith('name') else 'bigint'}" for name in (*PLAIN, *SHIFTED))
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS fill_copy")
            cursor.execute(f"CREATE TEMPORARY TABLE fill_copy ({columns})")
            for model in COPIED:
                source, table = _source(model), model._meta.db_table
                of_case, join = OF_CASE.get(model, ("t.case_id", ""))
                self.undo.append(f'DROP TABLE IF EXISTS "{source}"')
                cursor.execute(self.undo[-1])
                cursor.execute(
                    f'CREATE TEMPORARY TABLE "{source}" AS SELECT t.*, {of_case} AS of_case '  # noqa: S608 our own models
                    f'FROM "{table}" t {join} WHERE {of_case} IN ({chosen})'
                )
                cursor.execute(f'CREATE INDEX "{source}_case" ON "{source}" (of_case)')
                cursor.execute(f'SELECT of_case, MIN(id), MAX(id) FROM "{source}" GROUP BY of_case')  # noqa: S608
                self.ids |= {(model, case_id): (low, high) for case_id, low, high in cursor.fetchall()}
        for pk, template in templates.items():
            decisions = [line for lines in template.decisions.values() for line in lines]
            for model, lines in ((Event, template.events), (DecisionEntry, decisions)):
                if lines:
                    self.ids[model, pk] = min(line.pk for line in lines), max(line.pk for line in lines)
        for model in MODELS:
            self.next[model] = (model._default_manager.aggregate(last=Max("pk"))["last"] or 0) + 1

    def shifts(self, case_id: int) -> dict[Model, int]:
        """What the next copy of this case adds to the ids of its rows."""
        found = dict.fromkeys(self.next, 0)
        for model in found:
            if (model, case_id) in self.ids:
                low, high = self.ids[model, case_id]
                found[model] = self.next[model] - low
                self.next[model] += high + 1 - low
        return found


def _source(model: Model) -> str:
    return f"fill_{model._meta.db_table}"


def _write(batch: list[Copy], templates: dict[int, Template]) -> int:
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM fill_copy")
        marks = ", ".join(["%s"] * (len(PLAIN) + len(SHIFTED)))
        values = [[getattr(each, name) for name in PLAIN] + [each.shifts[model] for model in MODELS] for each in batch]
        cursor.executemany(f"INSERT INTO fill_copy VALUES ({marks})", values)  # noqa: S608
        for model in COPIED:
            cursor.execute(_insert(model))
            rows += cursor.rowcount
    of_cases: list[Row] = []
    of_requests: list[Row] = []
    rows += insert(
        Event,
        (row for copy in batch for row in signed(copy, copy.new_case, templates[copy.case_id].events, of_cases)),
    )
    rows += insert(
        DecisionEntry,
        (
            row
            for copy in batch
            for request_id, lines in templates[copy.case_id].decisions.items()
            for row in signed(copy, copy.moved(ApprovalRequest, request_id), lines, of_requests)
        ),
    )
    with connection.cursor() as cursor:
        for table, seals in ((Escalation._meta.db_table, of_cases), (ApprovalRequest._meta.db_table, of_requests)):
            cursor.executemany(
                f'UPDATE "{table}" SET log_count = %s, log_last = %s, log_seal = %s WHERE id = %s',  # noqa: S608
                seals,
            )
    index.write(CaseWords, [copy.new_case for copy in batch])
    rows += access_rows.keep([copy.new_case for copy in batch])
    with connection.cursor() as cursor:
        # In each transaction, so that the desk goes on when the command is killed.
        for statement in connection.ops.sequence_reset_sql(no_style(), MODELS):
            cursor.execute(statement)
    return rows


def _insert(model: Model) -> str:
    """The statement that writes the copies of a batch."""
    columns = [str(column.column) for column in model._meta.concrete_fields]
    values = ", ".join(_value(model, column) for column in model._meta.concrete_fields)
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} '  # noqa: S608 names of our own models
        f'FROM "{_source(model)}" t JOIN fill_copy m ON m.case_id = t.of_case'
    )


def _value(model: Model, column: Any) -> str:
    """The SQL of one column of a copy."""
    name = f't."{column.column}"'
    target = model if column.primary_key else column.related_model
    if target is Escalation and column.name != "duplicate_of":
        return "m.new_case"
    if target in MODELS and target is not Escalation:
        return f"{name} + m.{SHIFTED[MODELS.index(target)]}"
    if target is Account:
        return "m.account_id"
    if target is User:
        return f"CASE {name} WHEN m.old_csm THEN m.csm WHEN m.old_ae THEN m.ae ELSE {name} END"
    words = {
        "signal": "NULL",
        "title": f"SUBSTR(REPLACE({name}, m.old_name, m.new_name), 1, {column.max_length})",
        "case_title": f"SUBSTR(REPLACE({name}, m.old_name, m.new_name), 1, {column.max_length})",
        "case_key": "'ESC-' || m.new_case",
        "case_url": "'/escalations/ESC-' || m.new_case || '/'",
    }
    return words.get(column.name) or _earlier(column, name)


def _earlier(column: Any, name: str) -> str:
    """Moments and dates of what ended lie further back."""
    kind = column.get_internal_type()
    if kind not in ("DateTimeField", "DateField"):
        return name
    if connection.vendor == "postgresql":
        days = "m.days::int" if kind == "DateField" else "m.days * interval '1 day'"
        return f"{name} - {days}"
    if kind == "DateField":
        return f"date({name}, '-' || m.days || ' days')"
    # Text: the fraction of the second is kept as it is.
    return f"datetime({name}, '-' || m.days || ' days') || substr({name}, 20)"


# Accounts and people


FIRST = ("Amber", "Basalt", "Cinder", "Dune", "Ember", "Fern", "Glacier", "Heron", "Inlet", "Jasper", "Kelp", "Lagoon",
         "Maple", "Nectar", "Onyx", "Pebble", "Quartz", "River", "Summit", "Thistle", "Upland", "Violet", "Willow")  # fmt: skip
SECOND = ("Partners", "Systems", "Foods", "Freight", "Care", "Bank", "Works", "Media", "Energy", "Retail", "Labs",
          "Mutual", "Motors", "Textiles", "Water", "Networks", "Clinics", "Studios", "Supply")  # fmt: skip
GIVEN = ("Alba", "Boris", "Clara", "Dmitri", "Elif", "Finn", "Gala", "Hugo", "Ida", "Jonas", "Kira", "Luca", "Mina")
FAMILY = (
    "Abel",
    "Brandt",
    "Costa",
    "Dahl",
    "Ekström",
    "Ferri",
    "Grant",
    "Hoang",
    "Ivanov",
    "Jansen",
    "Keller",
    "Lopes",
)


def _accounts(number: int, chance: Chance) -> list[Account]:
    """This number of customers; those of an earlier fill are used again."""
    have = Account.objects.filter(source=FILLED).count()
    people = _people(min(MOST_PEOPLE, max(4, number // ACCOUNTS_PER_PERSON)) // 2)
    at = now()
    new = [_account(place, people[place % len(people)], chance, at) for place in range(have, number)]
    Account.objects.bulk_create(new, batch_size=500)
    announce(new)
    Contact.objects.bulk_create(
        [
            Contact(
                account=each,
                name=f"{GIVEN[place % 13]} {FAMILY[place % 12]}",
                title="COO",
                email=f"contact@{each.external_id.lower()}.example",
            )
            for place, each in enumerate(new)
        ],
        batch_size=500,
    )
    index.write(AccountWords, [each.pk for each in new])
    return list(Account.objects.filter(source=FILLED).order_by("pk")[:number])


def _account(place: int, team: tuple[User, User], chance: Chance, at: datetime) -> Account:
    csm, ae = team
    word = f"{FIRST[place % len(FIRST)]} {SECOND[place // len(FIRST) % len(SECOND)]}"
    again = place // (len(FIRST) * len(SECOND))
    arr = min(2_000_000, max(6_000, round(chance.long_tail(60_000, 1.0), -3)))
    return Account(
        source=FILLED,
        external_id=f"F-{place:05}",
        name=f"{word} {again + 1}" if again else word,
        segment="Enterprise" if arr >= 200_000 else "Mid-market" if arr >= 50_000 else "Small business",
        industry=SECOND[place % len(SECOND)],
        country=chance.of(("US", "US", "GB", "DE")),
        region=csm.region,
        strategic=chance.happens(0.04),
        currency=chance.of(("USD", "USD", "USD", "EUR", "GBP")),
        arr=arr,
        renewal_date=(at + timedelta(days=chance.whole(-20, 345))).date(),
        health=min(98, max(8, int(chance.long_tail(72, 0.25)))),
        csm=csm,
        ae=ae,
    )


def _people(pairs: int) -> list[tuple[User, User]]:
    """Pairs of CSM and AE under the existing leads; those of an earlier fill are used again."""
    since = now() - timedelta(days=WEEKS * 7 + 60)
    leads = list(User.objects.holding(["team-lead"]))
    roles = {role.slug: role for role in Role.objects.filter(slug__in=("csm", "ae"))}
    known = {user.email: user for user in User.objects.filter(email__endswith="@filled.example")}
    new, held = [], []
    for place, lead in zip(range(1, pairs + 1), cycle(leads), strict=False):
        for role in ("csm", "ae"):
            email = f"{role}-{place}@filled.example"
            if email in known:
                continue
            name = f"{GIVEN[place % len(GIVEN)]} {FAMILY[(place * 7 + len(role)) % len(FAMILY)]}"
            user = User(email=email, name=name, manager=lead, zone=lead.zone, region=lead.region, team=lead.team,
                        password="!", date_joined=since)  # noqa: S106  # fmt: skip
            new.append(user)
            held.append((user, roles[role]))
            known[email] = user
    User.objects.bulk_create(new, batch_size=500)
    RoleHolding.objects.bulk_create([RoleHolding(user=user, role=role, starts=since) for user, role in held])
    index.write(UserWords, [user.pk for user in new])
    return [(known[f"csm-{n}@filled.example"], known[f"ae-{n}@filled.example"]) for n in range(1, pairs + 1)]
