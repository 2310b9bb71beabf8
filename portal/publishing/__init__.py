"""From source files to anonymised, numbered, immutable releases on disk, and back from disk to those who read them."""
