"""The channels of settings.MESSAGE_CHANNELS."""

from functools import lru_cache

from django.conf import settings
from django.utils.module_loading import import_string

from messaging.channels.base import Channel


def registered() -> list[type[Channel]]:
    """All channels, in the order of the settings."""
    return list(_load(tuple(settings.MESSAGE_CHANNELS)))


def channel(name: str) -> type[Channel]:
    """The channel of this name. Raises LookupError if there is none."""
    for each in registered():
        if each.name == name:
            return each
    raise LookupError(f"No channel “{name}” is registered.")


@lru_cache
def _load(paths: tuple[str, ...]) -> tuple[type[Channel], ...]:
    return tuple(import_string(path) for path in paths)
