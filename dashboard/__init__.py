"""How it is shown: app shell, state, theme, tiles, charts, maps, tables and the command line."""
