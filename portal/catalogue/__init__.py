"""What exists: datasets with their codebooks, and their published releases. Pure: reads no file."""
