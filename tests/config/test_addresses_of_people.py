"""Nobody gives themselves an address: mail goes to it, and it proves who writes."""

import pytest
from django.test import Client

from accounts.models import User
from tests.support.cast import Cast


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/auth/email/", "/auth/confirm-email/abc/"])
def test_the_pages_for_addresses_do_not_exist(cast: Cast, client: Client, path: str) -> None:
    client.force_login(cast.csm)
    before = User.objects.get(pk=cast.csm.pk).email
    given = {"email": cast.contact.email, "action_add": "", "action_primary": ""}
    assert client.get(path).status_code == 404
    assert client.post(path, given).status_code == 404
    assert User.objects.get(pk=cast.csm.pk).email == before


@pytest.mark.django_db
def test_everybody_may_still_change_the_own_password(cast: Cast, client: Client) -> None:
    client.force_login(cast.csm)
    assert client.get("/auth/password/change/").status_code in (200, 302)
