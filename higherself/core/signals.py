"""Signals by which lower layers speak to upper ones without importing them."""

from django.dispatch import Signal

# A person's edit in Notion was stored here. Arguments: pk, changed ({field: (old, new)}), actor (text).
record_pulled = Signal()

# Rows were written in bulk, so no post_save was sent for each. Sender: the model.
records_changed = Signal()

# Somebody wants to link to Notion. Sender: the model; argument: pks. A receiver answers with {pk: address}.
notion_pages_wanted = Signal()
