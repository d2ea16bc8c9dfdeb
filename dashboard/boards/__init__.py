"""Boards: what stands on a slide, a wall scene or an exported page, declared as data and built without any screen.

- `declaration`: a board is slides, a slide is rows of tiles, charts and tables, each with the questions it asks.
- `context`: who answers the questions (`Reader`), and the words, names and numbers of one language (`Context`).
- `build`: asks the questions of a slide and returns its contents (`content`): texts, rows of cells, plotly figures.
- `handling`, `channels`, `satisfaction`, `decisions`: the charts and tables by topic.
- `meeting`, `wall`: the declared boards themselves.
- `screen`: draws contents with Streamlit; the only module here that may import it.
"""
