"""What the numbers mean: periods, working calendar, definitions and queries. May import `warehouse` only."""
