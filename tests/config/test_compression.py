"""Pages are compressed; those that show a secret are not."""

import gzip
import zlib
from collections.abc import Iterator

import pytest
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.test import RequestFactory
from django.urls import ResolverMatch, URLPattern, URLResolver, get_resolver, resolve, reverse

from config.compression import CompressionMiddleware, shows_secret

GZIP = {"Accept-Encoding": "gzip"}


def request(route: str = "escalations/", name: str = "queue") -> HttpRequest:
    """A request of a browser that reads gzip, after its address was resolved."""
    made = RequestFactory().get("/" + route, headers=GZIP)
    made.resolver_match = ResolverMatch(lambda: None, (), {}, url_name=name, route=route)
    return made


def answered(asked: HttpRequest, answer: HttpResponse | StreamingHttpResponse) -> HttpResponse | StreamingHttpResponse:
    """The answer as it leaves the product."""
    return CompressionMiddleware(lambda _request: answer)(asked)


def test_a_page_is_compressed_for_a_browser_that_asks_for_it(cast, client):
    client.force_login(cast.csm)
    plain, packed = client.get(reverse("escalations:queue")), client.get(reverse("escalations:queue"), headers=GZIP)
    assert not plain.has_header("Content-Encoding")
    assert packed["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in packed["Vary"]
    assert len(packed.content) < len(plain.content) / 2
    assert "Escalation queue" in gzip.decompress(packed.content).decode()


def test_the_length_of_the_same_page_differs_each_time():
    lengths = {len(answered(request(), HttpResponse("x" * 5000)).content) for _ in range(40)}
    assert len(lengths) > 5


def test_a_file_is_compressed_as_a_stream(cast, client):
    client.force_login(cast.csm)
    answer = client.get(reverse("escalations:queue_csv"), headers=GZIP)
    assert answer.streaming
    assert answer["Content-Encoding"] == "gzip"
    assert "arr at risk" in gzip.decompress(b"".join(answer.streaming_content)).decode()


def test_the_first_rows_leave_before_the_last_are_read():
    read = []

    def rows() -> Iterator[str]:
        for number in range(20_000):
            read.append(number)
            yield f"ESC-{number},{number * 7919 % 10007},Northwind\r\n"

    answer = answered(request(), StreamingHttpResponse(rows(), content_type="text/csv; charset=utf-8"))
    unpacked, open_ = zlib.decompressobj(31), b""
    for piece in answer:
        open_ += unpacked.decompress(piece)
        if b"ESC-10," in open_:
            break
    assert len(read) < 10_000


@pytest.mark.parametrize("content_type", ["application/pdf", "image/png", "application/zip"])
def test_what_is_compressed_in_itself_is_left_alone(content_type):
    answer = answered(request(), HttpResponse(b"a" * 5000, content_type=content_type))
    assert not answer.has_header("Content-Encoding")


@pytest.mark.parametrize(
    "address",
    [
        "/auth/login/",
        "/auth/password/change/",
        "/auth/password/reset/key/1a-set-password/",
        "/api/",
        "/api/token/",
        "/d/a-token/",
        "/admin/authtoken/tokenproxy/",
        "/approvals/delegations/",
    ],
)
def test_a_page_with_a_secret_is_not_compressed(address):
    asked = RequestFactory().get(address, headers=GZIP)
    asked.resolver_match = resolve(address)
    assert not answered(asked, HttpResponse("x" * 5000)).has_header("Content-Encoding")


def test_the_page_of_the_api_key_is_not_compressed(cast, client):
    client.force_login(cast.ops)
    client.post(reverse("api-token"))
    assert not client.get(reverse("api-docs"), headers=GZIP).has_header("Content-Encoding")


def routes(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address of the product."""
    for each in patterns:
        if isinstance(each, URLResolver):
            yield from routes(each.url_patterns, before + str(each.pattern))
        else:
            yield before + str(each.pattern), each


def test_no_address_that_carries_a_token_or_a_password_is_compressed():
    carrying = [
        (route, pattern)
        for route, pattern in routes(get_resolver().url_patterns)
        if any(word in route.lower() for word in ("token", "password", "secret", "confirm-email", "webhook"))
    ]
    assert len(carrying) > 5
    for route, pattern in carrying:
        assert shows_secret(request(route, pattern.name or "")), route
