"""The ways to deliver messages: one class each, listed in settings.MESSAGE_CHANNELS."""
