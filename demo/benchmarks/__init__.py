"""Measurements that need a database of their own: engines that run."""
