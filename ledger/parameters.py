"""The parameters in the address of a list. The API and files refuse one that they do not know; a page leaves it out and says
so."""

from collections.abc import Callable, Collection, Mapping
from functools import wraps
from typing import ClassVar, TypeVar, cast

from django.contrib import messages
from django.http import HttpRequest, QueryDict
from django.http.response import HttpResponseBase
from rest_framework.request import Request
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from ledger.errors import Invalid
from ledger.reading import number

View = TypeVar("View", bound=Callable[..., HttpResponseBase])
LONGEST_SHOWN = 40
MOST_NAMED = 5
# What a parameter may be: anything (None), one of these, or what a test accepts.
Allowed = Collection[str] | Callable[[str], bool] | None


def whole_number(text: str) -> bool:
    """Whether the text is the number of a row."""
    return number(text) is not None


def known(**allowed: Allowed) -> Callable[[View], View]:
    """For a view that shows a list: names the parameters that it reads, with their values. All others are left out, and a
    message on the page says so."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            if request.method == "GET" and "HX-Request" not in request.headers:
                for text in list(left_out(request.GET.dict(), allowed).values())[:MOST_NAMED]:
                    messages.info(request, f"Unknown filter “{text}” was left out.")
            return view(request, *args, **kwargs)

        checked.parameters = allowed  # type: ignore[attr-defined]  # for tests that walk all addresses
        return cast("View", checked)

    return wrap


def known_in_file(**allowed: Allowed) -> Callable[[View], View]:
    """For a view that answers with a file, which could not say that a filter was left out: raises Invalid with the name of
    the first parameter, or value, that it does not know."""

    def wrap(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
            for name, text in left_out(request.GET.dict(), allowed).items():
                takes = _list_of(set(allowed)) if name not in allowed else "It cannot have this value."
                raise Invalid(f"Unknown filter “{text}”: the file was not made. {takes}", field=name[:200])
            return view(request, *args, **kwargs)

        checked.parameters = allowed  # type: ignore[attr-defined]  # for tests that walk all addresses
        return cast("View", checked)

    return wrap


def left_out(given: Mapping[str, object], allowed: Mapping[str, Allowed]) -> dict[str, str]:
    """The parameters that are not known, by name, such as `colour=red`."""
    return {
        name: f"{name}={value}"[:LONGEST_SHOWN]
        for name, value in given.items()
        if value and not (name in allowed and _fits(str(value), allowed[name]))
    }


def kept(given: QueryDict, allowed: Mapping[str, Allowed]) -> str:
    """The query string without what is not known, for the links of a page that lead on, such as that to its file."""
    rest = given.copy()
    for name in left_out(given.dict(), allowed):
        del rest[name]
    return rest.urlencode()


def _fits(value: str, allowed: Allowed) -> bool:
    if allowed is None:
        return True
    return allowed(value) if callable(allowed) else value in allowed


class KnownParameters(APIView):
    """A view of the API that refuses parameters it does not read. `own_parameters`: action → the serializer that reads them;
    filters and pages are found by themselves. `no_lists`: actions that show one thing."""

    no_lists: ClassVar[tuple[str, ...]] = ()
    own_parameters: ClassVar[dict[str, type[Serializer]]] = {}

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """After the checks of a request. Raises Invalid with the name of the parameter."""
        super().initial(request, *args, **kwargs)
        action = getattr(self, "action", "")
        if request.method != "GET" or action in ("retrieve", *self.no_lists):
            return
        names = self._names(action)
        for name in request.query_params:
            if name not in names:
                raise Invalid(f"There is no parameter “{name[:LONGEST_SHOWN]}”. {_list_of(names)}", field=name[:200])

    def _names(self, action: str) -> set[str]:
        names = {"format"}
        if own := self.own_parameters.get(action):
            return names | set(own().fields)
        if filters := getattr(self, "filterset_class", None) if getattr(self, "filter_backends", ()) else None:
            names |= set(filters.base_filters)
        if getattr(self, "pagination_class", None):
            names |= {"page", "page_size"}
        return names


def _list_of(names: set[str]) -> str:
    shown = sorted(names - {"format"})
    return f"This address takes {', '.join(shown)}." if shown else "This address takes none."
