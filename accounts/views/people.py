"""A person's own page."""

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.forms import ProfileForm
from accounts.people.profile import save_preferences
from accounts.views.viewers import viewer


@require_http_methods(["GET", "HEAD", "POST"])
def profile(request: HttpRequest) -> HttpResponse:
    """Name, zone, density and shortcuts."""
    user = viewer(request)
    initial = {"name": user.name, "zone": user.zone, "density": user.density, "shortcuts": user.shortcuts}
    form = ProfileForm(request.POST or None, initial=initial)
    if form.is_valid():
        given = form.cleaned_data
        save_preferences(
            user=user,
            name=given["name"],
            zone=given["zone"],
            density=given["density"],
            shortcuts=given["shortcuts"],
        )
        messages.success(request, "Preferences saved.")
        return redirect("accounts:profile")
    return render(request, "accounts/profile.html", {"form": form}, status=422 if form.is_bound else 200)
