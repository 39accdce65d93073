"""Addresses of the static files."""

from functools import cache

from whitenoise.storage import CompressedManifestStaticFilesStorage


class KeptAddresses(CompressedManifestStaticFilesStorage):
    """Every page writes several. The manifest is read at the start, so a file keeps its address while the process lives."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._kept = cache(super().url)

    def url(self, name: str | None, force: bool = False) -> str:
        """The address of a file."""
        return str(self._kept(name, force))
