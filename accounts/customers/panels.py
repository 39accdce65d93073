"""Blocks that apps above add to the account page: open escalations, commitments, concessions."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from django.conf import settings
from django.core.checks import Error
from django.utils.module_loading import import_string

from accounts.models import Account, User


class AccountPanel(ABC):
    """One block of the account page: a heading, the template of its content and the context for it.

    A block is one class and one line in settings.ACCOUNT_PANELS, which also gives the order on the page.
    """

    title: ClassVar[str] = ""
    template: ClassVar[str] = ""

    def __init__(self, account: Account, user: User) -> None:
        """Read what the block shows this person. It must take a constant number of queries."""
        self.context = self.read(account, user)

    @abstractmethod
    def read(self, account: Account, user: User) -> Mapping[str, object] | None:
        """The context of the template; None: the block is not shown."""


def panels_for(account: Account, user: User) -> list[AccountPanel]:
    """The blocks of this account that this person sees."""
    made = (panel(account, user) for panel in _load(tuple(settings.ACCOUNT_PANELS)))
    return [panel for panel in made if panel.context is not None]


def check_panels() -> list[Error]:
    """Every block can be loaded and is complete."""
    errors = []
    for path in settings.ACCOUNT_PANELS:
        try:
            panel = import_string(path)
        except ImportError as error:
            errors.append(Error(f"ACCOUNT_PANELS: {path} cannot be loaded: {error}"))
            continue
        if not (isinstance(panel, type) and issubclass(panel, AccountPanel) and panel.title and panel.template):
            errors.append(Error(f"ACCOUNT_PANELS: {path} is no AccountPanel with a title and a template."))
    return errors


@lru_cache
def _load(paths: tuple[str, ...]) -> tuple[type[AccountPanel], ...]:
    return tuple(import_string(path) for path in paths)
