"""How the tables became what they are: one module for each step, run by Alembic through `env.py`."""
