"""The daily list of customers' messages that nobody has opened."""

from accounts.models import Role, User
from escalations.cases.queries.messages import waiting_long
from ledger.now import now
from messaging.outbox import notices


def tell_operations() -> int:
    """Notify operations of the messages that nobody has opened within an hour, at most once a day, with a link to the list.
    Returns the number of messages."""
    count = waiting_long().count()
    if count:
        words = (
            "1 customer message that nobody has opened"
            if count == 1
            else f"{count} customer messages that nobody has opened"
        )
        users = User.objects.holding(Role.objects.filter(operations=True).values_list("slug", flat=True))
        key = f"unopened:{now().date().isoformat()}"
        notices.tell(users=users, key=key, kind="unopened", text=words, url="/escalations/not-opened/", urgent=True)
    return count
