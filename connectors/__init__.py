"""How data comes in: sources, mapping, checks, quarantine and sync. May import `warehouse` only."""
