"""`python -m crewai_runner`."""

import sys

from crewai_runner.cli import main

sys.exit(main())
