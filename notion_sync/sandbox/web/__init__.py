"""A small web page on which a person edits the sandbox as one edits Notion."""

from .site import Site

__all__ = ["Site"]
