"""Cases are numbered from ESC-1001."""

from typing import Any

from django.db import migrations


def start_at_1001(apps: Any, schema_editor: Any) -> None:
    """Move the table's number sequence so that the first case becomes 1001."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("SELECT setval(pg_get_serial_sequence('escalations_escalation', 'id'), 1000)")
    else:
        # Remaking the table may have left a row of its own; two rows of one name would hide the number.
        schema_editor.execute("DELETE FROM sqlite_sequence WHERE name = 'escalations_escalation'")
        schema_editor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('escalations_escalation', 1000)")


class Migration(migrations.Migration):
    """Sets the first case number."""

    dependencies = [("escalations", "0001_initial")]
    operations = [migrations.RunPython(start_at_1001, migrations.RunPython.noop)]
