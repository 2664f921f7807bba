"""Signals by which providers reach the layers above them."""

from django.dispatch import Signal

# Notion has sent the verification token of a new webhook subscription. Argument: token.
handshake = Signal()
