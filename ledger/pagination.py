"""One page size rule for every API list."""

from rest_framework.pagination import PageNumberPagination


class Pages(PageNumberPagination):
    """50 a page, at most 200 when asked."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200
