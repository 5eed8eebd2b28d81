"""The third-party notices list what the lock files ship."""

from notices.__main__ import LICENCE_TEXTS, PACKAGE_LIST
from notices.packages import Package, read_frontend_packages, read_python_packages

REMEDY = "run `make notices` and commit the result"


def lacking(packages: list[Package], text: str, end: str) -> list[str]:
    entries = {f"{package.name} {package.version}" for package in packages}
    return sorted(entry for entry in entries if f"{entry}{end}" not in text)


class TestNotices:
    def test_list_is_that_of_the_lock_files(self) -> None:
        text = PACKAGE_LIST.read_text()
        packages = [*read_python_packages(), *read_frontend_packages()]

        assert lacking(packages, text, ": ") == [], REMEDY
        listed = [
            line.partition(": ")[0]
            for line in text.splitlines()
            if ": " in line and " (" not in line.partition(": ")[0]
        ]
        assert set(listed) == {f"{one.name} {one.version}" for one in packages}, REMEDY

    def test_bundle_has_a_text_for_every_package(self) -> None:
        text = LICENCE_TEXTS.read_text()

        assert [one for one in read_frontend_packages() if f"{one.name} {one.version}" not in text] == [], (
            REMEDY
        )

    def test_reads_shipped_packages_only(self) -> None:
        python = {package.name for package in read_python_packages()}

        assert {"fastapi", "crewai", "xllamacpp", "litellm"} <= python
        assert not {"pytest", "ruff", "mypy", "crewai-runner"} & python
