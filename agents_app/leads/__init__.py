"""From the raw answers of a form to a scored lead: pure functions, no database."""
