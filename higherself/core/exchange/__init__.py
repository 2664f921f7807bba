"""Spreadsheets out of and into the console."""
