"""Blocks that apps above add to the page of a request, such as the files of its case."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from django.conf import settings
from django.core.checks import Error
from django.utils.module_loading import import_string

from accounts.models import User
from approvals.models import ApprovalRequest


class RequestPanel(ABC):
    """One block of the page of a request: a heading, the template of its content and the context for it.

    A block is one class and one line in settings.REQUEST_PANELS, which also gives the order on the page.
    """

    title: ClassVar[str] = ""
    template: ClassVar[str] = ""

    def __init__(self, request: ApprovalRequest, user: User) -> None:
        """Read what the block shows this person. It must take a constant number of queries."""
        self.context = self.read(request, user)

    @abstractmethod
    def read(self, request: ApprovalRequest, user: User) -> Mapping[str, object] | None:
        """The context of the template; None: the block is not shown."""


def panels_for(request: ApprovalRequest, user: User) -> list[RequestPanel]:
    """The blocks of this request that this person sees."""
    made = (panel(request, user) for panel in _load(tuple(settings.REQUEST_PANELS)))
    return [panel for panel in made if panel.context is not None]


def check_panels() -> list[Error]:
    """Every block can be loaded and is complete."""
    errors = []
    for path in settings.REQUEST_PANELS:
        try:
            panel = import_string(path)
        except ImportError as error:
            errors.append(Error(f"REQUEST_PANELS: {path} cannot be loaded: {error}"))
            continue
        if not (isinstance(panel, type) and issubclass(panel, RequestPanel) and panel.title and panel.template):
            errors.append(Error(f"REQUEST_PANELS: {path} is no RequestPanel with a title and a template."))
    return errors


@lru_cache
def _load(paths: tuple[str, ...]) -> tuple[type[RequestPanel], ...]:
    return tuple(import_string(path) for path in paths)
