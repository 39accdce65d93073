"""Compression of pages, except of those that show a secret."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware

COMPRESSED = ("text/", "application/json", "application/vnd.oai.openapi", "image/svg+xml")
# Pages that show passwords, keys, links that need no sign-in, or the private address of a calendar. The length of a
# compressed answer can betray what it repeats (the attack is called BREACH). Django adds random bytes, which makes the
# attack slow and not impossible; so these are sent as they are.
SECRET_ROUTES = ("auth/", "admin/", "d/", "api/token/", "approvals/delegations/")
SECRET_VIEWS = frozenset({"api-docs"})


class CompressionMiddleware(GZipMiddleware):
    """Compresses text, streams as well. Files that are compressed in themselves, such as PDFs, are left alone."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """The answer, compressed where the browser asks for it."""
        if shows_secret(request) or not response.get("Content-Type", "").startswith(COMPRESSED):
            return response
        return super().process_response(request, response)


def shows_secret(request: HttpRequest) -> bool:
    """Whether the page may show one of the secrets above."""
    match = request.resolver_match
    return match is not None and (match.route.startswith(SECRET_ROUTES) or match.view_name in SECRET_VIEWS)
