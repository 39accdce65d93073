"""From a story to one case: amounts, names and moments filled in."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from functools import lru_cache

from accounts.models import Account, Signal, User
from accounts.signals.rules.tone import Tone, read_tone
from approvals.matrix.rules.units import DAYS, MONEY, MONTHS, PERCENT, amount_words
from demo.chance import Chance
from demo.plots import Story, Variant
from demo.stories import PRODUCTS, STORIES
from demo.thread import Case, Options, later
from demo.world import Customer, World

UNITS = {"discount": PERCENT, "refund": MONEY, "credit": MONEY, "payment-terms": DAYS, "liability-cap": MONTHS}
MORE_CURRENCY = {"JPY": 100, "INR": 80}
WEIGHTS = {slug: story.weight for slug, story in STORIES.items() if slug != "supplier-remediation"}
EASTERN = 5  # hours behind UTC, near enough to keep people's acts in people's hours


@lru_cache(maxsize=512)
def tone_of(words: str) -> Tone:
    """The tone of a story's words; read once, since the reader is thorough."""
    return read_tone(words)


def tell(
    world: World,
    customer: Customer,
    chance: Chance,
    opened_at: datetime,
    *,
    issue_type: str = "",
    variant: int | None = None,
    amount: int | None = None,
    signal: Signal | None = None,
    opened_by: User | None = None,
) -> Case:
    """A case of this customer: given parts are kept, the others are drawn."""
    account = customer.account
    supplier = account.kind == Account.SUPPLIER
    slug = issue_type or ("supplier-remediation" if supplier else chance.weighted(WEIGHTS))
    story = STORIES[slug]
    kind = story.variants[variant] if variant is not None else chance.of(story.variants)
    asked = _amount(story, chance, amount, account.currency) if story.concession else None
    words = _words(story, customer, chance, asked)
    tone = tone_of(kind.words)
    gap = timedelta(hours=min(chance.long_tail(13.0, 0.8), 24 * 12))
    at = opened_at.replace(microsecond=0)
    security = slug == "compliance-exception" and "audit" in kind.title.lower()
    return Case(
        issue_type=slug,
        title=_sentence(kind.title.format_map(words))[:160],
        issue=kind.issue.format_map(words),
        impact=kind.impact.format_map(words),
        support=story.support,
        opened_at=at,
        impasse_at=min(at, later(at - gap)),
        opened_by=opened_by or world.users.get(account.csm_id or account.ae_id or 0),
        concession=story.concession,
        amount=asked,
        currency=account.currency,
        deadline=later(at, days=chance.whole(8, 25) if world.issue_types[slug].negotiation else chance.whole(4, 12)),
        blocker=chance.happens(0.2),
        legal=chance.happens(0.015),
        security=security,
        executive_complaint=kind.title.startswith("Executive complaint"),
        signal=signal,
        tones=(tone.compound * chance.between(0.3, 0.7),),
        phrases=tuple((phrase.kind, phrase.text) for phrase in tone.phrases if phrase.kind != "legal")[:2],
        words=_said(story, kind, words),
        options=_options(story, words),
    )


def _said(story: Story, kind: Variant, words: dict[str, str]) -> dict[str, str]:
    """What is said later on: by the customer, in the brief, at the end."""
    later_on = {
        "customer": kind.words,
        "recommendation": story.recommendation,
        "resolution": story.resolution,
        "proof": story.proof,
    }
    return words | {name: text.format_map(words) for name, text in later_on.items()}


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _amount(story: Story, chance: Chance, given: int | None, currency: str) -> Decimal | None:
    low, high, step = story.amounts
    if not high:
        return None
    # Small asks are more frequent than large ones.
    number = given if given is not None else min(chance.whole(low, high, step), chance.whole(low, high, step))
    factor = MORE_CURRENCY.get(currency, 1) if UNITS[story.concession] == MONEY else 1
    return Decimal(number * factor).quantize(Decimal("0.01"))


def _words(story: Story, customer: Customer, chance: Chance, amount: Decimal | None) -> dict[str, str]:
    account = customer.account
    contact = chance.of(customer.contacts).name if customer.contacts else "their buyer"
    unit = UNITS.get(story.concession, "")
    return {
        "account": account.name,
        "product": chance.of(PRODUCTS),
        "contact": contact,
        "amount": amount_words(unit, amount, account.currency) if unit else "the exception",
        "number": str(chance.whole(10_000, 99_999)),
    }


def _options(story: Story, words: Mapping[str, str]) -> Options:
    grant, keep = story.grant.format_map(words), "Keep to the rule"
    return [
        {"name": grant, "trade_off": story.cost, "recommended": True, "status_quo": False},
        {"name": keep, "trade_off": story.keep, "recommended": False, "status_quo": True},
    ]


def awake(moment: datetime, limit: datetime) -> datetime:
    """The moment, or the next one at which people work, if it is still within the limit."""
    local = moment - timedelta(hours=EASTERN)
    later_on = local
    if not 8 <= local.hour < 19:
        later_on = local.replace(hour=8, minute=10 + local.minute // 2)
        later_on += timedelta(days=1 if local.hour >= 19 else 0)
    if later_on.weekday() >= 5:
        later_on += timedelta(days=7 - later_on.weekday())
    found = later_on + timedelta(hours=EASTERN)
    return found if found < limit else moment


def opening_hour(day: datetime, chance: Chance) -> datetime:
    """A moment in business hours at or after that day."""
    local = day - timedelta(hours=EASTERN)
    local = local.replace(
        hour=chance.whole(8, 16), minute=chance.whole(0, 59), second=chance.whole(0, 59), microsecond=0
    )
    if local.weekday() >= 5:
        local += timedelta(days=7 - local.weekday())
    return local + timedelta(hours=EASTERN)
