"""The Idempotency-Key header of the API, for every POST."""

import json
from collections.abc import Callable
from functools import partial
from typing import ClassVar

from django.core.files.uploadedfile import UploadedFile
from django.http import QueryDict
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from ledger.errors import Invalid
from ledger.files.uploads import digest_of
from ledger.idempotency import LONGEST_KEY, once
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
        return answer.status_code, kept(answer.data)

    status, answer = once(scope=scope_of(request), key=key_of(request), body=body_of(request), do=do)
    return Response(answer, status=status)


def kept(data: object) -> Json:
    """An answer as it is sent, and remembered under its key."""
    answer: Json = json.loads(JSONRenderer().render(data))
    return answer


def scope_of(request: Request) -> str:
    """One caller at one address."""
    return f"{request.user.pk} {request.path}"


def key_of(request: Request) -> str:
    """The key that was sent, or "". Raises Invalid for one that cannot be kept whole, because two of them could be one."""
    key: str = request.headers.get("Idempotency-Key", "")
    if len(key) > LONGEST_KEY:
        raise Invalid(f"Send an Idempotency-Key of at most {LONGEST_KEY} characters.", field="Idempotency-Key")
    return key


def body_of(request: Request) -> bytes:
    """The body, so that two spellings of the same JSON are one request. A form counts with all its values, and with name and
    content of each file."""
    data = request.data
    if isinstance(data, QueryDict):
        data = {name: [_value(each) for each in values] for name, values in data.lists()}
    return json.dumps(data, sort_keys=True, default=str).encode()


def _value(sent: str | UploadedFile) -> list[str]:
    return [sent.name or "", digest_of(sent)] if isinstance(sent, UploadedFile) else [sent]
