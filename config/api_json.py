"""Reading the JSON bodies of the API."""

from typing import Any

from rest_framework.exceptions import ParseError
from rest_framework.parsers import JSONParser


class ShallowJSONParser(JSONParser):
    """JSON as the API takes it. A body nested thousands deep is a mistake of the caller, not ours."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        """Raises ParseError for what is no JSON or nested too deeply."""
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError("The body is nested too deeply.") from error
