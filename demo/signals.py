"""What customers wrote and people noted, kept as it was read; nothing here opens a case."""

from datetime import datetime, timedelta

from accounts.models import Account, Signal, User
from demo.chance import Chance
from demo.telling import tone_of
from demo.world import Customer

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
    "Nobody called back. If this goes on we have to look at other vendors.",
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


def signal_for(
    customer: Customer, text: str, kind: str, at: datetime, *, by: User | None = None, with_concession: bool = False
) -> Signal:
    """A signal in the past; the verb would evaluate its triggers today."""
    tone = tone_of(text)
    return Signal.objects.create(
        account=customer.account,
        contact=customer.contacts[0] if by is None and customer.contacts else None,
        kind=kind,
        at=at.replace(microsecond=0),
        text=text,
        source="email" if kind == Signal.EMAIL else "manual",
        sentiment=tone.compound,
        tone=tone.label,
        phrases=[phrase._asdict() for phrase in tone.phrases],
        with_concession=with_concession,
        logged_by=by,
    )


def background_signals(customers: dict[str, Customer], people: dict[str, User], chance: Chance, at: datetime) -> None:
    """Three to five signals for each customer over ten weeks, in the tone of its health."""
    for customer in customers.values():
        if customer.account.kind != Account.CUSTOMER:
            continue
        csm = customer.account.csm or people["priya"]
        worried = (100 - (customer.health or 70)) / 100
        for _ in range(chance.whole(3, 5)):
            moment = at - timedelta(days=chance.between(2, 70), minutes=chance.between(0, 900))
            if chance.happens(0.3):
                signal_for(
                    customer, chance.of(NOTES), chance.of((Signal.NOTE, Signal.CALL, Signal.SESSION)), moment, by=csm
                )
            else:
                words = chance.of(WORRIED if chance.happens(worried) else FRIENDLY)
                signal_for(customer, words, chance.of((Signal.EMAIL, Signal.EMAIL, Signal.CHAT)), moment)
    for name in ("Northwind Logistics", "Granite Mutual"):
        for place, words in enumerate(ROUNDS):
            moment = at - timedelta(days=12 - 4 * place)
            signal_for(customers[name], words, Signal.COUNTERPROPOSAL, moment, by=people["marcus"])
