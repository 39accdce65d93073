"""Django system checks of what messaging loads by its name: kinds of messages, channels, titles of cases."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from inspect import isabstract
from typing import Any

from django.conf import settings
from django.core.checks import Error
from django.utils.module_loading import import_string

from messaging.channels.base import Channel
from messaging.kinds import AsWritten, MessageKind
from messaging.models import Message

NAME = re.compile(r"[a-z][a-z-]*")
FUNCTIONS = ("CASE_TITLES", "UNREADABLE_MAIL")


def check_message_kinds() -> list[Error]:
    """Every kind can be loaded, is complete, is listed once, and has a prefix of its own; no defined kind is missing."""
    found, errors = _loaded("MESSAGE_KINDS", MessageKind)
    errors += _misnamed((kind, kind.prefix, "prefix") for kind in found)
    listed = {*found, AsWritten}
    for kind in _below(MessageKind):
        # Classes in tests are not part of the product.
        if kind not in listed and not isabstract(kind) and kind.__module__.partition(".")[0] != "tests":
            errors.append(Error(f"{kind.__qualname__} is a kind of message but is not listed in MESSAGE_KINDS."))
    return errors


def check_channels() -> list[Error]:
    """Every channel can be loaded, is complete, is listed once, and has a name of its own that fits the column."""
    found, errors = _loaded("MESSAGE_CHANNELS", Channel)
    errors += _misnamed((channel, channel.name, "name") for channel in found)
    longest = Message._meta.get_field("channel").max_length or 0
    errors += [Error(f"{each.__qualname__} has no label.") for each in found if not each.label]
    errors += [
        Error(f"The name of {each.__qualname__} is longer than {longest}.")
        for each in found
        if len(each.name) > longest
    ]
    return errors


def check_functions() -> list[Error]:
    """The functions that say the titles of cases, and which mail a person may not read, can be loaded."""
    return [error for setting in FUNCTIONS for error in _no_function(setting)]


def _no_function(setting: str) -> list[Error]:
    path = getattr(settings, setting)
    try:
        loaded = import_string(path)
    except ImportError as error:
        return [Error(f"{setting}: {path} cannot be loaded: {error}")]
    return [] if callable(loaded) else [Error(f"{setting}: {path} is no function.")]


def _loaded(setting: str, base: Any) -> tuple[list[Any], list[Error]]:
    """The complete classes of a setting. `Any`, because mypy takes no abstract class for type[T]."""
    found = []
    errors = []
    for path in getattr(settings, setting):
        try:
            loaded = import_string(path)
        except ImportError as error:
            errors.append(Error(f"{setting}: {path} cannot be loaded: {error}"))
            continue
        if not (isinstance(loaded, type) and issubclass(loaded, base)):
            errors.append(Error(f"{setting}: {path} is no {base.__name__}."))
        elif isabstract(loaded):
            missing = ", ".join(sorted(getattr(loaded, "__abstractmethods__", ())))
            errors.append(Error(f"{setting}: {path} is not complete. Write {missing}."))
        else:
            found.append(loaded)
    return found, errors


def _misnamed(named: Iterable[tuple[type, str, str]]) -> list[Error]:
    rows = list(named)
    times = Counter(name for _, name, _ in rows)
    errors = [
        Error(f"{each.__qualname__} needs a {word} of small letters and hyphens.")
        for each, name, word in rows
        if not NAME.fullmatch(name)
    ]
    return errors + [Error(f"“{name}” is registered {count} times.") for name, count in times.items() if count > 1]


def _below(base: Any) -> Iterator[Any]:
    for each in base.__subclasses__():
        yield each
        yield from _below(each)
