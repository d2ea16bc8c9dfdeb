"""Faults on real processes: whatever dies, and when, the tables end as if nothing had been (docs/reliability.md)."""
