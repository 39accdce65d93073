"""Measures that need a database of their own: a million clocks, engines that run, mail that leaves."""
