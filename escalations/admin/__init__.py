"""The admin: the policy is edited as a draft; cases and their history are read-only."""

from escalations.admin import cases, policy

__all__ = ["cases", "policy"]
