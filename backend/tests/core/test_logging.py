"""Lines of the log: masked, and safe to show in a terminal."""

import json
import logging

import pytest

from crewai_runner.core.logging import configure_logging, get_logger
from crewai_runner.core.secret_mask import SecretMask
from crewai_runner.core.setting_choices import LogFormat

HOSTILE = "/x\x1b[2J\r\n2026-01-01 [info ] forged\u202e\u2028\x9b31m"
SECRET = "sk-0123-of-the-log"


@pytest.fixture
def mask(restored_logging: None) -> SecretMask:
    return SecretMask()


def fail() -> None:
    raise ValueError(f"{HOSTILE} {SECRET}")


def write_lines() -> None:
    log = get_logger("test")
    log.warning(HOSTILE, path=HOSTILE, value={"list": [HOSTILE, SECRET]}, other=ValueError(HOSTILE))
    logging.getLogger("library").warning("%s of a library %s", HOSTILE, SECRET)
    try:
        fail()
    except ValueError:
        log.exception("failed")


class TestLines:
    def test_outside_text_controls_no_terminal_and_begins_no_line(
        self, mask: SecretMask, capsys: pytest.CaptureFixture[str]
    ) -> None:
        mask.add(SECRET)
        configure_logging("INFO", LogFormat.CONSOLE, mask)

        write_lines()

        lines = capsys.readouterr().err.split("\n")
        assert [line for line in lines if not line.isprintable()] == []
        assert [line for line in lines if line.startswith("2026-01-01")] == []
        assert any(line.startswith("  ") and "forged" in line for line in lines)
        assert sum("••••••" in line for line in lines) >= 3
        assert SECRET not in "".join(lines)

    def test_json_lines_keep_their_structure(
        self, mask: SecretMask, capsys: pytest.CaptureFixture[str]
    ) -> None:
        for secret in (SECRET, "timestamp", "exception", "warning"):
            mask.add(secret)
        configure_logging("INFO", LogFormat.JSON, mask)

        write_lines()

        text = capsys.readouterr().err
        lines = [json.loads(line) for line in text.splitlines()]
        assert [line["level"] for line in lines] == ["warning", "warning", "error"]
        assert lines[0]["value"]["list"] == [HOSTILE, "••••••"]
        assert all("timestamp" in line for line in lines)
        assert "exception" in lines[2]
        assert SECRET not in text
