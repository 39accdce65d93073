"""The options that our forms pass to Django's form besides the data."""

from collections.abc import Mapping
from typing import TypedDict

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict

Posted = Mapping[str, object]
Files = MultiValueDict[str, UploadedFile]


class FormOptions(TypedDict, total=False):
    """The keyword arguments of Django's form that our pages use."""

    files: Files | None
    initial: dict[str, object] | None
    prefix: str | None
    auto_id: bool | str
