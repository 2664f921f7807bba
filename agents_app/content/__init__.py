"""Flow 7: content from an idea or a recording to the archive."""
