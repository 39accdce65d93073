"""The Idempotency-Key header of the API, for every POST."""

import json
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.files.uploads import digest_of
from ledger.idempotency import once
from ledger.json_types import Json
from ledger.parameters import KnownParameters


class OncePerKey(KnownParameters):
    """A view whose POSTs run once for each Idempotency-Key: the same key and body return the first answer.

    Users do not share keys, and each address has its own. `own_keys`: actions that call `once` themselves.
    """

    own_keys: ClassVar[tuple[str, ...]] = ()

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        """After the checks of a request, put the key before its action."""
        super().initial(request, *args, **kwargs)
        if request.method == "POST" and getattr(self, "action", "") not in self.own_keys:
            self.post: Callable[..., Response] = partial(_first_answer, self.post)


def _first_answer(act: Callable[..., Response], request: Request, *args: object, **kwargs: object) -> Response:
    def do() -> tuple[int, Json]:
        answer = act(request, *args, **kwargs)
        kept: Json = json.loads(JSONRenderer().render(answer.data))
        return answer.status_code, kept

    status, answer = once(scope=scope_of(request), key=key_of(request), body=body_of(request), do=do)
    return Response(answer, status=status)


def scope_of(request: Request) -> str:
    """One caller at one address."""
    return f"{request.user.pk} {request.path}"


def key_of(request: Request) -> str:
    """The key that was sent, or ""."""
    return request.headers.get("Idempotency-Key", "")


def body_of(request: Request) -> bytes:
    """The body, so that two spellings of the same JSON are one request. A file counts by its name and content."""
    data = request.data
    given = dict(data.lists()) if isinstance(data, MultiValueDict) else data
    return json.dumps(given, sort_keys=True, default=_as_text).encode()


def _as_text(value: object) -> str:
    return f"{value.name} {digest_of(value)}" if isinstance(value, UploadedFile) else str(value)
