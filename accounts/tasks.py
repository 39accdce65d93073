"""Background jobs of this app, called by name."""

from accounts.customers import contracts
from accounts.imports import runs as imports
from accounts.models import ImportRun


def run_import(run_id: int) -> str:
    """Applies a started import; a second call continues where the first one ended."""
    run = ImportRun.objects.get(pk=run_id)
    if run.state == ImportRun.RUNNING:
        run = imports.apply(run=run)
    return f"{run.filename}: {run.applied} of {run.total} rows"


def roll_renewals() -> int:
    """Moves renewals that have passed to the next one of their contracts."""
    return contracts.roll_renewals()
