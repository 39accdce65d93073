"""Two people of operations with the shipped policy: one writes drafts, the other publishes them."""

import pytest

from accounts.models import User
from escalations.models import PolicyVersion
from escalations.policy.versions import clone_draft
from tests.support.cast import Cast


@pytest.fixture
def policy(cast: Cast) -> PolicyVersion:
    """The shipped policy, in force."""
    return PolicyVersion.objects.get(number=1)


@pytest.fixture
def author(cast: Cast) -> User:
    """Of operations; writes drafts."""
    cast.ops.is_staff = True
    cast.ops.save(update_fields=["is_staff"])
    return cast.ops


@pytest.fixture
def second(cast: Cast) -> User:
    """The second person."""
    return cast.admin


@pytest.fixture
def draft(policy: PolicyVersion, author: User) -> PolicyVersion:
    """A copy of the shipped policy, not changed yet."""
    return clone_draft(by=author)
