"""What is logged: never an address or a link by which somebody may decide."""

import logging

from messaging.outbox.rules.secrets import masked


class WithoutSecrets(logging.Filter):
    """Takes the tokens of reply addresses and decision links out of every line."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the line out here, so that its arguments are cleaned with it."""
        record.msg, record.args = masked(record.getMessage()), None
        return True
