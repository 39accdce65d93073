"""The first data of a new installation, without demo data."""

from django.core.management.base import BaseCommand

from approvals.matrix import defaults as authority
from escalations.policy import defaults as policy


class Command(BaseCommand):
    """Publish version 1 of policy and authority, with roles, calendars and rates, if they do not exist yet."""

    help = "Publish the shipped roles, calendars, policy and authority matrix unless they exist. Run it any time."

    def handle(self, *args: object, **options: object) -> None:
        """All steps are idempotent."""
        version = policy.ensure_defaults()
        authority.ensure_defaults()
        self.stdout.write(f"Policy version {version.number} and the authority matrix are in place.")
