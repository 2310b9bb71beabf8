"""Disclosure control: which cells of which blocks may leave, and as what. Pure; knows no database."""
