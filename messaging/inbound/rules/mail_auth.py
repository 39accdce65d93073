"""Who sent a mail, according to our own mail server (RFC 8601 Authentication-Results, RFC 7489 DMARC). In any doubt the
answer is no: a result that cannot be read exactly counts as not passed.
"""

import re
from collections.abc import Iterable, Sequence

MAX_HEADER = 8_000
_ATOM = r"[A-Za-z0-9!#$%&'*+\-.^_`|~@/]+"
_VALUE = rf"(?:{_ATOM}|\"[^\"\\]*\")"
_METHOD = re.compile(rf"^({_ATOM}?)\s*(?:/\s*\d+\s*)?=\s*([A-Za-z]+)(?:\s+(.*))?$", re.DOTALL)
_PROPERTY = re.compile(rf"\s*([A-Za-z][A-Za-z0-9-]*(?:\.[A-Za-z0-9-]+)?)\s*=\s*({_VALUE})(?=\s|$)")
_LOCAL_PART = re.compile(r"^[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}$")
_DOMAIN = re.compile(
    r"^(?=.{1,253}$)(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
)


def dmarc_passes(auth_results_headers: Iterable[str], authserv_id: str, from_domain: str) -> bool:
    """True when our own server (`authserv_id`) recorded dmarc=pass for exactly `from_domain`.

    Headers of other servers do not count. One of ours that is malformed or says anything but pass makes it False.
    The receiving server must strip foreign headers that carry its own id, as the RFC demands.
    """
    ours = [found for found in map(_parse, auth_results_headers) if found[0] == authserv_id.strip().lower()]
    if not authserv_id.strip() or not from_domain.strip() or any(results is None for _, results in ours):
        return False
    verdicts = [result for _, results in ours for result in results or [] if result[0] == "dmarc"]
    wanted = from_domain.strip().lower().rstrip(".")
    return bool(verdicts) and all(
        verdict == "pass" and properties.get("header.from", "").lower().rstrip(".") == wanted
        for _, verdict, properties in verdicts
    )


def is_proven(single_from: str, auth_results_headers: Iterable[str], authserv_id: str) -> bool:
    """Whether our own server confirms the only sender of a mail."""
    domain = single_from.rpartition("@")[2]
    return bool(domain) and dmarc_passes(auth_results_headers, authserv_id, domain)


def is_disproved(auth_results_headers: Iterable[str], authserv_id: str) -> bool:
    """Whether our own server recorded dmarc=fail: the sender is not who the mail says. Without a result nothing is known."""
    ours = [found for found in map(_parse, auth_results_headers) if found[0] == authserv_id.strip().lower()]
    verdicts = [(method, verdict) for _, results in ours for method, verdict, _ in results or []]
    return bool(authserv_id.strip()) and ("dmarc", "fail") in verdicts


Result = tuple[str, str, dict[str, str]]


def _parse(header: str) -> tuple[str, list[Result] | None]:
    """The server's id and its results; None for results that are malformed."""
    bare = _without_comments(header[: MAX_HEADER + 1])
    server = re.match(rf"\s*\"?({_ATOM})\"?", bare if bare is not None else header[:300])
    name = server.group(1).lower() if server else ""
    if bare is None or not server or len(header) > MAX_HEADER:
        return name, None
    head, *parts = _split(bare)
    if not re.fullmatch(rf"\s*\"?{_ATOM}\"?(?:\s+1)?\s*", head):
        return name, None
    results = [_result(part.strip()) for part in parts if part.strip() and part.strip().lower() != "none"]
    return name, None if any(result is None for result in results) else [result for result in results if result]


def _without_comments(text: str) -> str | None:
    """Take out (nested) comments; None when a bracket or quotation mark stays open."""
    kept: list[str] = []
    depth, quoted, escaped = 0, False, False
    for character in text:
        if escaped:
            escaped = False
        elif character == "\\" and (quoted or depth):
            escaped = True
        elif character == '"' and not depth:
            quoted = not quoted
        elif not quoted and character in "()":
            depth += 1 if character == "(" else -1
            kept.append(" ")
            if depth < 0:
                return None
            continue
        if not depth:
            kept.append(character)
    return None if depth or quoted else "".join(kept)


def _split(text: str) -> list[str]:
    """Split at semicolons outside quotation marks."""
    parts, quoted = [""], False
    for chunk in re.split(r"([;\"])", text):
        if chunk == ";" and not quoted:
            parts.append("")
            continue
        quoted ^= chunk == '"'
        parts[-1] += chunk
    return parts


def _result(text: str) -> Result | None:
    """`dmarc=pass header.from=example.com` as ("dmarc", "pass", {...}); None when it cannot be read to its end."""
    match = _METHOD.match(text)
    if not match:
        return None
    method, verdict, rest = match.group(1).lower(), match.group(2).lower(), match.group(3) or ""
    properties: dict[str, str] = {}
    at = 0
    while rest[at:].strip():
        found = _PROPERTY.match(rest, at)
        if not found:
            return None
        name = found.group(1).lower()
        if name in properties and name == "header.from":
            return None
        properties[name] = found.group(2).strip('"')
        at = found.end()
    return method, verdict, properties


def single_from(headers: Sequence[tuple[str, str]]) -> str | None:
    """The address (lower case) of the only From header; None if there is none, more than one, or any doubt. Pass the
    header as it arrived (encoded words not decoded), because a decoded name may contain brackets and commas.
    """
    values = [value for name, value in headers if name.strip().lower() == "from"]
    if len(values) != 1 or len(values[0]) > 1_000 or re.search(r"[\x00-\x08\x0a-\x1f\x7f]", values[0]):
        return None
    bare = _without_comments(values[0])
    if bare is None:
        return None
    name_free = re.sub(r'"(?:[^"\\]|\\.)*"', '""', bare).strip()
    bracketed = re.fullmatch(r"([^<>@,;:]*)<\s*([^<>\s,;:\"]+)\s*>", name_free)
    address = bracketed.group(2) if bracketed else name_free
    return _plain_address(address)


def _plain_address(address: str) -> str | None:
    local, at, domain = address.rpartition("@")
    if not at or not _LOCAL_PART.match(local) or not _DOMAIN.match(domain):
        return None
    return None if local.startswith(".") or local.endswith(".") or ".." in local else address.lower()
