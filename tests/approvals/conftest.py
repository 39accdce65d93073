"""People around a decision, and the request they make."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils.module_loading import import_string

# Models and services come by name: this file may be read before Django's registry is ready.
PEOPLE = (
    ("dana", "Dana Whitfield", "executive-sponsor", None),
    ("ruth", "Ruth Cole", "steering-committee", None),
    ("lena", "Lena Ortiz", "director", "dana"),
    ("tina", "Tina Brandt", "team-lead", "lena"),
    ("marcus", "Marcus Lee", "csm", "tina"),
    ("priya", "Priya Raman", "ae", "tina"),
    ("omar", "Omar Haddad", "csm", None),
    ("sana", "Sana Khan", "pmo", None),
    ("aisha", "Aisha Okafor", "administrator", None),
)


@pytest.fixture
def world(db: None) -> Any:
    """Northwind (ARR 500,000 USD, CSM Marcus, AE Priya), everybody above them, and Omar, who has no part in it."""
    import_string("accounts.defaults.ensure_defaults")()
    import_string("approvals.matrix.defaults.ensure_defaults")()
    return make_world()


def make_world(*, functions: bool = False) -> Any:
    """The same, for tests that fill the database themselves. The authority decides alone, unless `functions` take part."""
    if not functions:
        for name in ("ChainRule", "Committee"):
            import_string(f"approvals.models.{name}").objects.all().delete()
    users = import_string("accounts.models.User").objects
    roles = import_string("accounts.models.Role").objects
    accounts = import_string("accounts.models.Account").objects
    people: dict[str, Any] = {}
    for key, name, role, manager in PEOPLE:
        people[key] = users.create_user(f"{key}@desk.example", None, name=name, manager=people.get(manager or ""))
        people[key].holdings.create(role=roles.get(slug=role))
    for key in ("sana", "aisha"):
        people[key].is_staff = people[key].is_superuser = True
        people[key].save()
    northwind = accounts.create(
        external_id="NW-1",
        name="Northwind",
        arr=Decimal(500_000),
        segment="enterprise",
        csm=people["marcus"],
        ae=people["priya"],
    )
    other = accounts.create(external_id="BE-1", name="Brightline", arr=Decimal(90_000), csm=people["omar"])
    return SimpleNamespace(northwind=northwind, brightline=other, **people)


@pytest.fixture
def ask(world: Any) -> Callable[..., Any]:
    """Make a request with as little as the test cares for: Marcus asks for a 15 % discount for Northwind."""
    return lambda **values: make_request(world, **values)


def make_request(world: Any, **values: Any) -> Any:
    """The request itself."""
    at = import_string("ledger.now.now")()
    wanted = {
        "requester": world.marcus,
        "account": world.northwind,
        "concession": "discount",
        "amount": Decimal(15),
        "currency": "USD",
        "ask": "Approve a 15% discount for Northwind?",
        "recommendation": "Approve: it protects the renewal.",
        "options": [
            {"name": "Grant it", "trade_off": "Margin", "recommended": True},
            {"name": "Keep the price", "trade_off": "Renewal at risk", "status_quo": True},
        ],
        "brief": {"version": 3, "parts": {"summary": "Northwind wants a discount.", "ask": "15% by Friday."}},
        "deadline": at + timedelta(hours=4),
        "case_key": "ESC-1042",
        "case_url": "/escalations/ESC-1042/",
        "case_title": "Northwind renewal",
        "tier": "yellow",
    }
    return import_string("approvals.requests.ask.request")(**{**wanted, **values})


@pytest.fixture
def told(db: None) -> Any:
    """Every entry of the decision log that other apps heard of."""
    heard: list[str] = []
    signal = import_string("approvals.events.log_appended")

    def hear(entry: Any, **_: Any) -> None:
        heard.append(entry.kind)

    signal.connect(hear)
    yield heard
    signal.disconnect(hear)
