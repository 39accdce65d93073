"""Many cases for measuring: copies of the demo's cases, by `INSERT … SELECT`, with logs that are signed again.

A copy has ids, a key, an account and people of its own. What ended is moved back by whole weeks over the last three years;
what is open keeps its times, so that its clocks agree with their history and their calendar.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import cycle, islice
from time import monotonic
from typing import Any, NamedTuple

from django.core.management.color import no_style
from django.db import connection, models, transaction
from django.db.models import Max, Min

from accounts.models import Account, Contact, Role, RoleHolding, User
from approvals.models import ApprovalRequest, ApprovalStep, DecisionEntry
from demo.chance import Chance
from demo.companies import DEMO
from escalations import states
from escalations.models import (
    Action,
    BriefPart,
    BriefSnapshot,
    CasePerson,
    CaseRequest,
    Clock,
    Commitment,
    Escalation,
    Event,
    EventText,
    HandOff,
    Review,
)
from ledger import chain
from ledger.errors import Invalid
from ledger.now import now

BATCH = 500
WEEKS = 3 * 52
OPEN_SHARE = 0.03
CASES_PER_ACCOUNT, ACCOUNTS_PER_PERSON, MOST_PEOPLE = 5, 10, 2000
FILLED = "filled"

Model = type[models.Model]
# In the order in which they are written. Event and DecisionEntry are signed, so they are made in Python.
COPIED: tuple[Model, ...] = (
    Escalation, CasePerson, BriefPart, BriefSnapshot, HandOff, Clock, EventText, Action, Commitment, Review,
    ApprovalRequest, ApprovalStep, CaseRequest,
)  # fmt: skip
SIGNED: tuple[Model, ...] = (Event, DecisionEntry)
# How the rows of a template case are found; all others have a column case_id.
OF_CASE = {
    Escalation: "t.id",
    EventText: "(SELECT e.case_id FROM escalations_event e WHERE e.text_id = t.id)",
    ApprovalRequest: "(SELECT l.case_id FROM escalations_caserequest l WHERE l.request_id = t.id)",
    ApprovalStep: "(SELECT l.case_id FROM escalations_caserequest l WHERE l.request_id = t.request_id)",
    DecisionEntry: "(SELECT l.case_id FROM escalations_caserequest l WHERE l.request_id = t.request_id)",
}
# Ids that entries name in their data, by key.
IDS: dict[str, Model] = {
    "handoff": HandOff, "request": ApprovalRequest, "entry": DecisionEntry, "action": Action, "commitment": Commitment,
    "about": Commitment,
}  # fmt: skip
MOMENTS, PEOPLE = ("due_at", "moment"), ("to", "user", "owner")


@dataclass
class Progress:
    """How far it is, for the line that is printed."""

    done: int
    of: int
    rows: int = 0
    seconds: float = 0.0

    @property
    def rate(self) -> float:
        """Cases a second so far."""
        return self.done / self.seconds if self.seconds else 0.0


class Copy(NamedTuple):
    """One case to be: the template, how often it was copied before, its new number, account and people, days further back."""

    case_id: int
    nth: int
    new_case: int
    days: int
    account_id: int
    old_name: str
    new_name: str
    old_csm: int | None
    csm: int | None
    old_ae: int | None
    ae: int | None


@dataclass
class Template:
    """A case of the demo with the entries of its logs."""

    case: Escalation
    events: list[Event] = field(default_factory=list)
    decisions: dict[int, list[DecisionEntry]] = field(default_factory=dict)


def fill(cases: int, seed: int, tell: Callable[[Progress], None], *, open_share: float = OPEN_SHARE) -> Progress:
    """Add so many cases; 3 % of them are open. Raises Invalid where there are no cases of the demo to copy."""
    begun, progress = monotonic(), Progress(0, cases)
    templates = _templates()
    with transaction.atomic():
        accounts = _accounts(max(10, cases // CASES_PER_ACCOUNT), Chance(seed + 1))
        spaces = _Spaces(list(templates))
    copies = _plan(cases, templates, accounts, Chance(seed), open_share)
    try:
        while batch := list(islice(copies, BATCH)):
            with transaction.atomic():
                progress.rows += _write(batch, templates, spaces)
            progress.done += len(batch)
            progress.seconds = monotonic() - begun
            tell(progress)
    finally:
        with connection.cursor() as cursor:
            for statement in (*spaces.undo, *connection.ops.sequence_reset_sql(no_style(), [*COPIED, *SIGNED])):
                cursor.execute(statement)
    return progress


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
        found[event.case_id].events.append(event)
    requests = dict(CaseRequest.objects.filter(case__in=found).values_list("request_id", "case_id"))
    for entry in DecisionEntry.objects.filter(request__in=requests).order_by("request_id", "seq"):
        found[requests[entry.request_id]].decisions.setdefault(entry.request_id, []).append(entry)
    return found


def _plan(
    cases: int, templates: dict[int, Template], accounts: Sequence[Account], chance: Chance, open_share: float
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
    before: dict[int, int] = {}
    for place, (template, days) in enumerate(drawn, start=1):
        old, new = template.case.account, accounts[place * 7919 % len(accounts)]
        nth = before[template.case.pk] = before.get(template.case.pk, -1) + 1
        yield Copy(template.case.pk, nth, number + place, days, new.pk, old.name, new.name, old.csm_id, new.csm_id,
                   old.ae_id, new.ae_id)  # fmt: skip


class _Spaces:
    """The rows of the templates in tables of their own, and which ids their copies get: `id + first + nth × span`."""

    def __init__(self, cases: list[int]) -> None:
        self.first: dict[Model, int] = {}
        self.span: dict[Model, int] = {}
        chosen = ", ".join(str(pk) for pk in cases)
        self.undo = ["DROP TABLE IF EXISTS fill_copy"]
        columns = "case_id, nth, new_case, days, account_id, old_name, new_name, old_csm, csm, old_ae, ae"
        types = ", ".join(f"{name} {'text' if name.endswith('name') else 'bigint'}" for name in columns.split(", "))
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS fill_copy")
            cursor.execute(f"CREATE TEMPORARY TABLE fill_copy ({types})")
            for model in COPIED:
                table, of_case = model._meta.db_table, OF_CASE.get(model, "t.case_id")
                self.undo.append(f'DROP TABLE IF EXISTS "{_source(model)}"')
                cursor.execute(self.undo[-1])
                cursor.execute(
                    f'CREATE TEMPORARY TABLE "{_source(model)}" AS SELECT * FROM '  # noqa: S608 names of our own models
                    f'(SELECT t.*, {of_case} AS of_case FROM "{table}" t) AS s WHERE of_case IN ({chosen})'
                )
                cursor.execute(f'CREATE INDEX "{_source(model)}_case" ON "{_source(model)}" (of_case)')
        for model in (*COPIED, *SIGNED):
            ids = model._default_manager.aggregate(low=Min("pk"), high=Max("pk"))
            low, high = ids["low"] or 0, ids["high"] or 0
            self.first[model], self.span[model] = high + 1 - low, high + 1 - low

    def moved(self, model: Model, pk: Any, nth: int) -> Any:
        """The id of a copied row."""
        return None if pk is None else pk + self.first[model] + nth * self.span[model]


def _source(model: Model) -> str:
    return f"fill_{model._meta.db_table}"


def _write(batch: list[Copy], templates: dict[int, Template], spaces: _Spaces) -> int:
    rows = 0
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM fill_copy")
        marks = ", ".join(["%s"] * len(Copy._fields))
        cursor.executemany(f"INSERT INTO fill_copy VALUES ({marks})", batch)  # noqa: S608
        for model in COPIED:
            cursor.execute(_insert(model, spaces))
            rows += cursor.rowcount
    events: list[tuple[Any, ...]] = []
    decisions: list[tuple[Any, ...]] = []
    seals: dict[Model, list[tuple[Any, ...]]] = {Escalation: [], ApprovalRequest: []}
    for copy in batch:
        template = templates[copy.case_id]
        signed, seal = _signed(copy, copy.new_case, template.events, spaces)
        events += signed
        seals[Escalation].append(seal)
        for request_id, entries in template.decisions.items():
            signed, seal = _signed(copy, spaces.moved(ApprovalRequest, request_id, copy.nth), entries, spaces)
            decisions += signed
            seals[ApprovalRequest].append(seal)
    _insert_rows(Event, events)
    _insert_rows(DecisionEntry, decisions)
    with connection.cursor() as cursor:
        for model, values in seals.items():
            table = model._meta.db_table
            cursor.executemany(
                f'UPDATE "{table}" SET log_count = %s, log_last = %s, log_seal = %s WHERE id = %s',  # noqa: S608
                values,
            )
    return rows + len(events) + len(decisions)


def _insert(model: Model, spaces: _Spaces) -> str:
    """The statement that writes the copies of a batch."""
    columns = [str(column.column) for column in model._meta.concrete_fields]
    values = ", ".join(_value(model, column, spaces) for column in model._meta.concrete_fields)
    names = ", ".join(f'"{name}"' for name in columns)
    return (
        f'INSERT INTO "{model._meta.db_table}" ({names}) SELECT {values} '  # noqa: S608 names of our own models
        f'FROM "{_source(model)}" t JOIN fill_copy m ON m.case_id = t.of_case'
    )


def _value(model: Model, column: Any, spaces: _Spaces) -> str:
    """The SQL of one column of a copy."""
    name = f't."{column.column}"'
    target = model if column.primary_key else column.related_model
    if target is Escalation and column.name != "duplicate_of":
        return "m.new_case"
    if target in spaces.span and target is not Escalation:
        return f"{name} + {spaces.first[target]} + m.nth * {spaces.span[target]}"
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


class _Parent:
    """What the chain needs of the owner of a log."""

    def __init__(self, pk: int) -> None:
        self.pk, self.log_count, self.log_last, self.log_seal = pk, 0, "", ""


class _Entry:
    """An entry of a copied log on its way into the table."""

    __slots__ = ("at", "content_digest", "digest", "key_id", "row", "seq")
    seq: int
    digest: str
    content_digest: str
    key_id: str

    def __init__(self, at: datetime, row: dict[str, Any]) -> None:
        self.at, self.row = at, row

    def content(self) -> dict[str, Any]:
        """As the chain signs it."""
        return self.row


def _signed(
    copy: Copy, parent_id: int, entries: Sequence[Event | DecisionEntry], spaces: _Spaces
) -> tuple[list[tuple[Any, ...]], tuple[Any, ...]]:
    """The rows of a copied log, numbered and signed, and the seal of its parent."""
    back, people = timedelta(days=copy.days), {copy.old_csm: copy.csm, copy.old_ae: copy.ae}
    parent: Any = _Parent(parent_id)
    made = [_Entry(entry.at - back, _content(entry, copy, people, back, spaces)) for entry in entries]
    chain.number(parent, made)
    rows = []
    for entry, new in zip(entries, made, strict=True):
        pk = spaces.moved(type(entry), entry.pk, copy.nth)
        more = [spaces.moved(EventText, entry.text_id, copy.nth)] if isinstance(entry, Event) else []
        values = tuple(json.dumps(each) if isinstance(each, (dict, list)) else each for each in new.row.values())
        if not isinstance(entry, Event) and "facts" not in new.row:
            values += ("{}",)
        rows.append((pk, parent_id, new.seq, new.at, new.content_digest, new.digest, new.key_id, *more, *values))
    return rows, (parent.log_count, parent.log_last, parent.log_seal, parent_id)


def _content(
    entry: Event | DecisionEntry, copy: Copy, people: dict[int | None, int | None], back: timedelta, spaces: _Spaces
) -> dict[str, Any]:
    row = entry.content()
    row["actor_id"] = people.get(row["actor_id"], row["actor_id"])
    if isinstance(entry, DecisionEntry):
        return row
    row["clock_id"] = spaces.moved(Clock, row["clock_id"], copy.nth)
    row["replaces_id"] = spaces.moved(Event, row["replaces_id"], copy.nth)
    row["summary"] = row["summary"].replace(copy.old_name, copy.new_name)[:400]
    data = row["data"] = dict(row["data"])
    for key, value in data.items():
        if not value:
            continue
        if key in MOMENTS:
            data[key] = (datetime.fromisoformat(value) - back).isoformat()
        elif key in PEOPLE:
            data[key] = people.get(value, value)
        elif key in IDS:
            data[key] = spaces.moved(IDS[key], value, copy.nth)
    return row


# In the order of `_signed`: what comes after the chain's own columns.
COLUMNS: dict[Model, tuple[str, ...]] = {
    Event: ("case_id", "text_id", "kind", "audience", "actor_id", "actor_name", "summary", "text_hash", "clock_id",
            "replaces_id", "data"),
    DecisionEntry: ("request_id", "kind", "actor_id", "on_behalf_of_id", "channel", "role", "limit", "rule_version",
                    "step", "terms_hash", "options", "rationale", "conditions", "override", "facts"),
}  # fmt: skip


def _insert_rows(model: Model, rows: list[tuple[Any, ...]]) -> None:
    parent, *columns = COLUMNS[model]
    every = ["id", parent, "seq", "at", "content_digest", "digest", "key_id", *columns]
    names, table = ", ".join(f'"{name}"' for name in every), model._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            with cursor.copy(f'COPY "{table}" ({names}) FROM STDIN') as target:
                for row in rows:
                    target.write_row(row)
            return
        marks = ", ".join(["%s"] * len(every))
        plain = [(*row[:3], row[3].astimezone(UTC).replace(tzinfo=None).isoformat(" "), *row[4:]) for row in rows]
        cursor.executemany(f'INSERT INTO "{table}" ({names}) VALUES ({marks})', plain)  # noqa: S608


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
    """So many customers; those that an earlier filling made are used again."""
    have = Account.objects.filter(source=FILLED).count()
    people = _people(min(MOST_PEOPLE, max(4, number // ACCOUNTS_PER_PERSON)) // 2)
    at = now()
    new = [_account(place, people[place % len(people)], chance, at) for place in range(have, number)]
    Account.objects.bulk_create(new, batch_size=500)
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
    """Pairs of CSM and AE under the leads there are; those of an earlier filling are used again."""
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
    return [(known[f"csm-{n}@filled.example"], known[f"ae-{n}@filled.example"]) for n in range(1, pairs + 1)]
