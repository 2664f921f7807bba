"""Signals by which providers reach the layers above them."""

from django.dispatch import Signal

# Notion has sent the verification token of a new webhook subscription. Argument: token.
handshake = Signal()

# An outbound call was carried out, in the transaction that marks it done. Argument: call, with its result.
call_done = Signal()
