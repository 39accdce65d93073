"""Reply addresses of approvers. The token in them is the same secret as in the mailed link."""

import re
from collections.abc import Iterable

# 32 bytes in lower-case base32: mail systems may write addresses in any case, and cut at 64 characters before the @.
_ADDRESS = re.compile(r"^approve\+([a-z2-7]{52})@", re.IGNORECASE)


def address_of(token: str, domain: str) -> str:
    """The reply address of the mail with this token."""
    return f"approve+{token}@{domain}"


def tokens_in(recipients: Iterable[str]) -> list[str]:
    """The tokens of the reply addresses among the recipients of a mail, each once."""
    found = (_ADDRESS.match(str(each).strip()) for each in recipients)
    return list(dict.fromkeys(match.group(1).lower() for match in found if match))
