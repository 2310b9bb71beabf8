"""The `portal` command: one file for each group of commands, all of them over the desk."""
