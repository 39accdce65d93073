"""The preferences that people set for themselves."""

from django.db import transaction

from accounts.calendars.rules.workcalendar import find_zone
from accounts.models import User, UserWords
from ledger.errors import Invalid
from ledger.reading import has_words
from ledger.search import index


@transaction.atomic
def save_preferences(*, user: User, name: str, zone: str, density: str, shortcuts: bool) -> User:
    """Keeps a person's own name and reading preferences. Raises Invalid for an empty name, unknown zone or density."""
    if not has_words(name):
        raise Invalid("Enter your name.", field="name")
    try:
        find_zone(zone)
    except ValueError as error:
        raise Invalid(str(error), field="zone")
    if density not in dict(User.DENSITIES):
        raise Invalid("Choose comfortable or compact.", field="density")
    user.name, user.zone, user.density, user.shortcuts = name.strip()[:120], zone, density, shortcuts
    user.save(update_fields=["name", "zone", "density", "shortcuts"])
    index.renew(UserWords, user)
    return user
