"""Paths that tests share."""

import os
from pathlib import Path

NO_DASHBOARD = Path(__file__).parent / "no-dashboard"
"""A folder without a build: whether a dashboard happens to be built here changes no test of the API."""

PRODUCT_ON = os.environ.get("TEST_PRODUCT_ON", "sqlite").split(",")
"""The databases of tests that start whole servers for what is tested on both without them."""
