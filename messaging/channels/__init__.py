"""Ways out of the house. A channel hands one message over and says what came of it; it writes nothing."""
