"""Paths that tests share."""

import os
from pathlib import Path

MISSING_FRONTEND_DIR = Path(__file__).parent / "no-dashboard"
"""A folder without a build: whether a dashboard happens to be built here changes no test of the API."""

PROCESS_TEST_BACKENDS = os.environ.get("TEST_PRODUCT_ON", "sqlite").split(",")
"""The databases of tests that start whole servers for what is tested on both without them."""
