"""Imported once by the process that crew hosts are forked from, so that they share CrewAI's memory pages."""

import gc
import logging
import tempfile
from pathlib import Path

from crewai_runner.executor.crew.compat import environment
from crewai_runner.executor.hosts.process_setup import remove_settings_from_environment

remove_settings_from_environment()
try:
    environment.import_engine(Path(tempfile.gettempdir()))
    # Everything that a host would import otherwise, in each process again.
    from crewai_runner.executor.crew import self_test  # noqa: F401
    from crewai_runner.executor.crew.attempt import attempt, deadline  # noqa: F401
    from crewai_runner.executor.crew.llm import completion, retry_logging  # noqa: F401
    from crewai_runner.executor.hosts import host_process  # noqa: F401
except Exception:
    # Each host imports CrewAI itself then, and reports why it cannot.
    logging.getLogger(__name__).exception("CrewAI could not be preloaded")
gc.collect()
gc.freeze()
