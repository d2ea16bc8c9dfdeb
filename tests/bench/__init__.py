"""What the product costs: `python -m tests.bench`. It prints and asserts nothing: times belong to their machine."""

import logging

logging.disable(logging.WARNING)  # Streamlit says for every cache that no browser is there
