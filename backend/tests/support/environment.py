"""Environment of the test run."""

import os
from pathlib import Path

MISSING_FRONTEND_DIR = Path(__file__).parent / "no-dashboard"
"""A FRONTEND_DIR that does not exist, so that a built dashboard does not affect tests of the API."""

PROCESS_TEST_BACKENDS = os.environ.get("TEST_PRODUCT_ON", "sqlite").split(",")
"""Databases on which tests with server processes run; TEST_PRODUCT_ON overrides the default."""
