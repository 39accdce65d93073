"""Ways by which messages leave: one class each, listed in settings.MESSAGE_CHANNELS."""
