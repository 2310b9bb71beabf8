"""Row access: for each project, governed copies of the extracts that it was granted, and the answers it was given."""
