"""All addresses of the desk, with the ids of a test's rows in them."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

from django.http import QueryDict
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver


class Route(NamedTuple):
    """An address as a pattern, its name and view."""

    pattern: str
    name: str
    view: Callable[..., Any]


def routes() -> list[Route]:
    """Every address, without the administration's and the libraries'."""
    return [each for each in _walk(get_resolver()) if not each.pattern.startswith(("admin/", "auth/", "api/schema"))]


def _walk(resolver: URLResolver, before: str = "") -> Iterator[Route]:
    for each in resolver.url_patterns:
        pattern = before + str(each.pattern).lstrip("^").rstrip("$").replace("\\.", ".")
        if isinstance(each, URLPattern):
            yield Route(pattern, each.name or "", each.callback)
        else:
            yield from _walk(each, pattern)


@contextmanager
def names_read() -> Iterator[set[str]]:
    """Collects the parameters that a page reads from its address."""
    found: set[str] = set()

    def spy(method: str) -> Any:
        original: Callable[..., Any] = getattr(QueryDict, method, None) or getattr(dict, method)

        def noted(self: QueryDict, key: str, *args: Any, **kwargs: Any) -> Any:
            if isinstance(key, str):
                found.add(key)
            return original(self, key, *args, **kwargs)

        return patch.object(QueryDict, method, noted, create=True)

    with spy("get"), spy("__getitem__"), spy("__contains__"), spy("getlist"):
        yield found


def parameters(client: Client, path: str, view: Callable[..., Any], known: Mapping[str, Any]) -> set[str]:
    """The parameters of an address: those it names (`ledger.parameters`), and those it is seen to read."""
    with names_read() as found:
        client.get(path)
        client.get(path, dict.fromkeys(found, "1"))
    return {name for name in found | set(known) if name.isidentifier() or name == "from"}
