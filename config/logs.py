"""Logging without the addresses and links that allow a decision."""

import logging

from messaging.outbox.rules.secrets import masked


class WithoutSecrets(logging.Filter):
    """Removes the tokens of reply addresses and decision links from every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Format the line here, so that its arguments are cleaned too."""
        record.msg, record.args = masked(record.getMessage()), None
        return True
