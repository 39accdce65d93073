"""Makes one case from a story: fills in amounts, names and moments."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from accounts.models import Account, Contact, User
from approvals.matrix.rules.units import DAYS, MONEY, MONTHS, PERCENT, amount_words
from approvals.requests.rules.verdicts import Option
from demo.chance import Chance
from demo.plots import Story, Variant
from demo.stories import PRODUCTS, STORIES

UNITS = {"discount": PERCENT, "refund": MONEY, "credit": MONEY, "payment-terms": DAYS, "liability-cap": MONTHS}
DEALS = ("discount-beyond-limit", "renewal-at-risk", "contract-exception", "payment-terms-dispute")
EASTERN = timedelta(hours=5)  # behind UTC, good enough to keep acts in working hours
OPENS, ENDS = 8, 18


@dataclass(frozen=True)
class Told:
    """The values of the intake form, and the later texts: brief, updates, ending."""

    account: Account
    contacts: tuple[Contact, ...]
    issue_type: str
    title: str
    issue: str
    impact: str
    support: str
    opened_at: datetime
    impasse_at: datetime
    opened_by: User
    deadline: datetime
    concession: str = ""
    amount: Decimal | None = None
    blocker: bool = False
    confidential: bool = False
    security: bool = False
    executive_complaint: bool = False
    says: str = ""  # the customer's own words, if a mail started the case
    words: dict[str, str] = field(default_factory=dict)
    options: list[Option] = field(default_factory=list)


@dataclass(frozen=True)
class Plot:
    """The story of a case. Variant and amount are drawn if not given."""

    issue_type: str
    variant: int | None = None
    amount: int | None = None
    with_signal: bool = False
    blocker: bool = False
    confidential: bool = False


def tell(account: Account, plot: Plot, opened_at: datetime, opened_by: User, chance: Chance) -> Told:
    """A case of this customer, with all its texts."""
    story = STORIES[plot.issue_type]
    kind = chance.of(story.variants) if plot.variant is None else story.variants[plot.variant]
    asked = _amount(story, chance, plot.amount) if story.concession else None
    contacts = tuple(account.contacts.order_by("pk"))
    words = _words(story, kind, account, contacts, chance, asked)
    at = opened_at.replace(microsecond=0)
    stalled = timedelta(seconds=round(min(chance.long_tail(2.0, 0.9), 96) * 3600))
    days = chance.whole(8, 25) if plot.issue_type in DEALS else chance.whole(6, 12)
    title = kind.title.format_map(words)
    return Told(
        account=account,
        contacts=contacts,
        issue_type=plot.issue_type,
        title=(title[:1].upper() + title[1:])[:160],
        issue=kind.issue.format_map(words),
        impact=kind.impact.format_map(words),
        support=story.support,
        opened_at=at,
        impasse_at=at - stalled,
        opened_by=opened_by,
        deadline=end_of_day(at + timedelta(days=days)),
        concession=story.concession,
        amount=asked,
        blocker=plot.blocker,
        confidential=plot.confidential,
        security=plot.issue_type == "compliance-exception" and "audit" in kind.title.lower(),
        executive_complaint=kind.title.startswith("Executive complaint"),
        says=words["customer"] if plot.with_signal else "",
        words=words,
        options=_options(story, words),
    )


def _amount(story: Story, chance: Chance, given: int | None) -> Decimal | None:
    low, high, step = story.amounts
    if not high:
        return None
    # Small asks are more frequent than large ones.
    number = given if given is not None else min(chance.whole(low, high, step), chance.whole(low, high, step))
    return Decimal(number)


def _words(
    story: Story,
    kind: Variant,
    account: Account,
    contacts: tuple[Contact, ...],
    chance: Chance,
    amount: Decimal | None,
) -> dict[str, str]:
    unit = UNITS.get(story.concession, "")
    words = {
        "account": account.name,
        "product": chance.of(PRODUCTS),
        "contact": chance.of(contacts).name if contacts else "their buyer",
        "amount": amount_words(unit, amount, account.currency) if unit else "the exception",
        "number": str(chance.whole(10_000, 99_999)),
    }
    later = {
        "customer": kind.words,
        "recommendation": story.recommendation,
        "resolution": story.resolution,
        "proof": story.proof,
    }
    return words | {name: text.format_map(words) for name, text in later.items()}


def _options(story: Story, words: Mapping[str, str]) -> list[Option]:
    grant = story.grant.format_map(words)
    return [
        {"name": grant, "trade_off": story.cost, "recommended": True, "status_quo": False},
        {"name": "Keep to the rule", "trade_off": story.keep, "recommended": False, "status_quo": True},
    ]


def awake(moment: datetime) -> datetime:
    """The moment, or the next one at which people work."""
    local = moment - EASTERN
    if local.hour < OPENS:
        local = local.replace(hour=OPENS, minute=10 + local.minute // 2)
    elif local.hour >= ENDS:
        local = local.replace(hour=OPENS, minute=10 + local.minute // 2) + timedelta(days=1)
    if local.weekday() >= 5:
        local += timedelta(days=7 - local.weekday())
    return local + EASTERN


def working_morning(moment: datetime, chance: Chance, *, days: int = 1) -> datetime:
    """A morning that many working days later."""
    local = (moment - EASTERN).replace(hour=OPENS, minute=chance.whole(5, 55), second=chance.whole(0, 59))
    for _ in range(days):
        local += timedelta(days=3 if local.weekday() == 4 else 2 if local.weekday() == 5 else 1)
    return local + EASTERN


def end_of_day(moment: datetime) -> datetime:
    """Five in the afternoon of that day, or of the Monday after a weekend."""
    local = (moment - EASTERN).replace(hour=17, minute=0, second=0, microsecond=0)
    if local.weekday() >= 5:
        local += timedelta(days=7 - local.weekday())
    return local + EASTERN


def opening_hour(day: datetime, chance: Chance) -> datetime:
    """A moment before noon of that day, or of the Monday after a weekend."""
    local = (day - EASTERN).replace(hour=chance.whole(8, 11), minute=chance.whole(0, 59), second=chance.whole(0, 59))
    if local.weekday() >= 5:
        local += timedelta(days=7 - local.weekday())
    return (local + EASTERN).replace(microsecond=0)
