"""What customers book and buy: from a provider's news to rows, and from rows to the next step of a workflow."""
