"""Two people of operations with the shipped policy: one writes drafts, the other publishes them."""

from typing import TYPE_CHECKING, Any

import pytest
from django.utils.module_loading import import_string

if TYPE_CHECKING:
    from accounts.models import User
    from escalations.models import PolicyVersion
    from tests.support.cast import Cast


@pytest.fixture
def policy(cast: "Cast") -> "PolicyVersion":
    """The shipped policy, in force."""
    # By name: this file may be read before Django's registry is ready.
    versions: Any = import_string("escalations.models.PolicyVersion").objects
    return versions.get(number=1)


@pytest.fixture
def author(cast: "Cast") -> "User":
    """Of operations; writes drafts."""
    cast.ops.is_staff = True
    cast.ops.save(update_fields=["is_staff"])
    return cast.ops


@pytest.fixture
def second(cast: "Cast") -> "User":
    """The second person."""
    return cast.admin


@pytest.fixture
def draft(policy: "PolicyVersion", author: "User") -> "PolicyVersion":
    """A copy of the shipped policy, not changed yet."""
    return import_string("escalations.policy.versions.clone_draft")(by=author)
