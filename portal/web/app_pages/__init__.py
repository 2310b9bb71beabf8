"""The pages: each reads as a table of contents of what it shows."""
