"""The mail address of a case. Its token shows that we gave the address to the sender; it cannot be guessed."""

import base64

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "escalations.cases.mail_address"
CHARACTERS = 16


def reply_address(case_id: int) -> str:
    """case+1042.TOKEN@desk.example, the address for answers to mail of the case."""
    return f"case+{case_id}.{_token(case_id, settings.SECRET_KEY)}@{settings.MAIL_DOMAIN}"


def is_token(case_id: int, token: str) -> bool:
    """Whether this is the token of the case, by the key in use or one of those before it."""
    keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    return any(constant_time_compare(token, _token(case_id, key)) for key in keys)


def _token(case_id: int, key: str | bytes) -> str:
    digest = salted_hmac(SALT, str(case_id), secret=key, algorithm="sha256").digest()
    return base64.b32encode(digest).decode("ascii").lower()[:CHARACTERS]
