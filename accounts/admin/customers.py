"""Accounts with their domains, contacts and contracts; exchange rates."""

from decimal import Decimal

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from simple_history.admin import SimpleHistoryAdmin

from accounts.customers import accounts
from accounts.customers.health import take_outside
from accounts.customers.rates import known_currencies
from accounts.imports.cells import website_domain
from accounts.models import Account, AccountDomain, AccountWords, Contact, ExchangeRate, Subscription
from ledger.format import too_precise
from ledger.search import index


def checked_currency(code: str) -> str:
    """A currency that has an exchange rate; a form error otherwise."""
    code = code.strip().upper()
    if code not in known_currencies():
        raise forms.ValidationError(f"There is no exchange rate for {code}. Add one first, or use a known code.")
    return code


class MoneyForm(forms.ModelForm):
    """Amounts are in a currency that can be compared with limits."""

    def clean_currency(self) -> str:
        """A currency with an exchange rate."""
        return checked_currency(self.cleaned_data["currency"])

    def clean(self) -> dict[str, object]:
        """An amount has no more decimals than its currency."""
        values = super().clean() or self.cleaned_data
        if problem := too_precise(values.get("arr"), values.get("currency", "")):
            self.add_error("arr", problem)
        return values


class AccountForm(MoneyForm):
    """An account."""

    class Meta:
        model = Account
        fields = [
            *("name", "kind", "status", "source", "external_id", "parent", "segment", "industry", "country", "region"),
            *("strategic", "currency", "arr", "renewal_date", "health_outside", "csm", "ae"),
        ]
        help_texts = {
            "external_id": "Its id in the source; imports and the API find the account by both.",
            "arr": "Yearly recurring revenue in the account's currency. Empty: taken from its contracts.",
            "renewal_date": "Empty: taken from its contracts.",
            "parent": "The company it belongs to.",
            "strategic": "Raises triage.",
        }

    def clean_parent(self) -> Account | None:
        """An account cannot be below itself."""
        parent = above = self.cleaned_data["parent"]
        while above is not None:
            if above.pk == self.instance.pk:
                raise forms.ValidationError("Choose an account that does not belong to this one.")
            above = above.parent
        return parent


class DomainForm(forms.ModelForm):
    """A mail domain."""

    class Meta:
        model = AccountDomain
        fields = ["domain"]

    def clean_domain(self) -> str:
        """The plain domain in lower case."""
        domain = website_domain(self.cleaned_data["domain"])
        if "." not in domain or any(char.isspace() for char in domain):
            raise forms.ValidationError("Write the domain as example.com.")
        return domain


class DomainInline(admin.TabularInline):
    """Mail from these domains belongs to the account."""

    model = AccountDomain
    form = DomainForm
    extra = 0
    verbose_name_plural = "mail domains (mail from them belongs to this account; leave public providers out)"


class ContactInline(admin.TabularInline):
    """The customer's people."""

    model = Contact
    fields = ["name", "email", "title", "language", "executive", "bounced_address"]
    extra = 0


class SubscriptionInline(admin.TabularInline):
    """Contract lines."""

    model = Subscription
    form = MoneyForm
    fields = ["source", "external_id", "plan", "start_date", "end_date", "arr", "currency", "auto_renew"]
    extra = 0


@admin.register(Account)
class AccountAdmin(SimpleHistoryAdmin):
    """Companies we deal with."""

    form = AccountForm
    inlines = [DomainInline, ContactInline, SubscriptionInline]
    list_display = [
        "name",
        "kind",
        "status",
        "source",
        "external_id",
        "arr",
        "currency",
        "renewal_date",
        "health",
        "csm",
    ]
    list_filter = ["kind", "status", "strategic", "source", "segment"]
    list_select_related = ["csm"]
    search_fields = ["name", "external_id", "domains__domain", "contacts__email"]
    autocomplete_fields = ["parent", "csm", "ae"]
    readonly_fields = ["health", "health_computed", "created_at", "changed_at"]

    def save_model(self, request: HttpRequest, obj: Account, form: object, change: bool) -> None:
        """Saves the account with its history; the apps above learn of a new name or team."""
        if "health_outside" in form.changed_data:  # type: ignore[attr-defined]
            take_outside(obj, obj.health_outside)
        accounts.save(obj, by=request.user)  # type: ignore[arg-type]

    def save_related(self, request: HttpRequest, form: object, formsets: object, change: bool) -> None:
        """Saves domains, contacts and contracts; the account is found by the first two."""
        super().save_related(request, form, formsets, change)
        index.write(AccountWords, [form.instance.pk])  # type: ignore[attr-defined]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Account], search_term: str
    ) -> tuple[QuerySet[Account], bool]:
        """As the search of the desk, without limits."""
        return (queryset.matching(search_term) if search_term else queryset), False  # type: ignore[attr-defined]

    def has_delete_permission(self, request: HttpRequest, obj: Account | None = None) -> bool:
        """Accounts become churned; they are not removed."""
        return False


class RateForm(forms.ModelForm):
    """A rate above zero for a three-letter code."""

    class Meta:
        model = ExchangeRate
        fields = ["currency", "on", "usd"]
        help_texts = {"on": "It applies from this day until the next rate.", "usd": "Value of 1 unit in USD."}

    def clean_currency(self) -> str:
        """Three letters, upper case."""
        code = self.cleaned_data["currency"].strip().upper()
        if len(code) != 3 or not (code.isascii() and code.isalpha()):
            raise forms.ValidationError("Use a three-letter code such as EUR.")
        return code

    def clean_usd(self) -> Decimal:
        """The rate must be above zero."""
        usd: Decimal = self.cleaned_data["usd"]
        if usd <= 0:
            raise forms.ValidationError("Enter a rate above 0.")
        return usd


@admin.register(ExchangeRate)
class ExchangeRateAdmin(admin.ModelAdmin):
    """The values of currencies in USD. Limits are in USD; amounts without a rate are refused."""

    form = RateForm
    list_display = ["currency", "on", "usd"]
    list_filter = ["currency"]
    date_hierarchy = "on"
