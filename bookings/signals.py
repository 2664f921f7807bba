"""Signals by which the domain speaks to the layers above it."""

from django.dispatch import Signal

# A person has entered a product's stock in the console. Sender: Product; argument: pk.
stock_counted = Signal()
