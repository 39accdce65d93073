"""Signals of ten weeks without a case: they change the health of the account."""

from datetime import timedelta

from accounts.models import Account, Signal, User
from demo import acts
from demo.chance import Chance
from demo.stage import Stage, Steps
from demo.telling import awake

FRIENDLY = (
    "Thanks for the quick answer yesterday. The new dashboards are a real help for our team.",
    "Good call today. We are happy with the rollout and look forward to the next step.",
    "The training went well, people liked it. Please send the slides.",
    "Renewal looks fine from our side, we only need the updated order form.",
)
WORRIED = (
    "We still wait for an answer to the ticket from last week. This is getting frustrating.",
    "The import failed again over night. My team is losing patience.",
    "Our new CFO asks what we get for the money. We need better numbers than these.",
    "Two of the promised features are late. I am disappointed and have to explain it internally.",
)
NOTES = (
    "Quarterly review held. Use is stable, the sponsor asked for a roadmap session.",
    "Spoke with procurement: budget is confirmed, the legal review is still open.",
    "New head of operations started; introduction planned for next week.",
    "Adoption call: two teams do not use the module yet.",
)
ROUNDS = (
    "Second counterproposal: they keep the price, we keep the term. No movement.",
    "They sent the redlines back with the same cap as before.",
)
WEEKS = 12


def background(
    stage: Stage, accounts: dict[str, Account], moods: dict[str, int], people: dict[str, User], chance: Chance
) -> None:
    """Two to four signals for each customer, in the tone of its mood (0 to 100)."""
    for name, account in accounts.items():
        if account.kind != Account.CUSTOMER:
            continue
        for nth in range(chance.whole(2, 4)):
            # The first is old, so that the trend has a start.
            days = chance.between(7 * WEEKS, 7 * WEEKS + 14) if nth == 0 else chance.between(2, 7 * WEEKS)
            moment = awake((stage.end - timedelta(days=days)).replace(microsecond=0))
            stage.enter(moment, _one(account, moods[name], people, chance))
    for name in ("Northwind Logistics", "Granite Mutual"):
        for place, words in enumerate(ROUNDS):
            moment = stage.end - timedelta(days=12 - 4 * place)
            stage.enter(moment, _round(accounts[name], words, people["marcus"]))


def _one(account: Account, mood: int, people: dict[str, User], chance: Chance) -> Steps:
    if chance.happens(0.25):
        by = account.csm or people["priya"]
        acts.hear(account, chance.of(NOTES), chance.of((Signal.NOTE, Signal.CALL, Signal.SESSION)), by=by)
    else:
        words = chance.of(FRIENDLY if chance.happens(mood / 100) else WORRIED)
        contact = account.contacts.order_by("pk").first()
        acts.hear(account, words, chance.of((Signal.EMAIL, Signal.EMAIL, Signal.CHAT)), contact=contact)
    yield from ()


def _round(account: Account, words: str, by: User) -> Steps:
    acts.hear(account, words, Signal.COUNTERPROPOSAL, by=by)
    yield from ()
