"""Seeded synthetic sources in the form of the real ones, for every machine that has none."""

from portal.simulation.simulate import SIMULATORS, simulate

__all__ = ["SIMULATORS", "simulate"]
