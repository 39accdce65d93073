"""The titles of cases for pages of the apps below, which know only the key of a case."""

from collections.abc import Collection

from accounts.models import User
from escalations.models import Escalation


def titles(user: User, keys: Collection[str]) -> dict[str, str]:
    """The title and account of each case by its key, as far as the person may see it; one query."""
    ids = [int(number) for key in keys if (number := key.removeprefix("ESC-")).isdecimal() and len(number) < 19]
    if not ids:
        return {}
    seen = Escalation.objects.visible_to(user, few=True).filter(pk__in=ids).values_list("pk", "title", "account__name")
    return {f"ESC-{pk}": f"{title}, {account}" for pk, title, account in seen}
