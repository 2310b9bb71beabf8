"""Who may do what with which dataset, and why. Pure and total: no clock, no file, no database."""
