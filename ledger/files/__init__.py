"""Files under the media root: kept once by content, taken from people within limits, scanned, tidied up."""

from ledger.files.store import path_of, read, store

__all__ = ["path_of", "read", "store"]
