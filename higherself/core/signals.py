"""Signals by which lower layers speak to upper ones without importing them."""

from django.dispatch import Signal

# A person's edit in Notion was stored here. Arguments: pk, changed ({field: (old, new)}), actor (text), and made_at:
# when the page was made, for a row that is new here, else None.
record_pulled = Signal()

# A person's edit in Notion cannot be read; it stays there as it is. Arguments: pk, refused ({field: why}), actor.
value_refused = Signal()

# The history has noted changes of records, in the transaction of the changes. Argument: notes (ChangeSets).
changes_noted = Signal()

# Rows were written in bulk, so no post_save was sent for each. Sender: the model.
records_changed = Signal()

# Somebody wants to link to Notion. Sender: the model; argument: pks. A receiver answers with {pk: address}.
notion_pages_wanted = Signal()
