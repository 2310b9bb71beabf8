"""Vetting: who may have access, as a table of steps that each have an owner and a due date. Pure.

After Art. 40 of Regulation (EU) 2022/2065 (DSA) and Delegated Regulation (EU) 2025/2050.
"""
