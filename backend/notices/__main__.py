"""Writes both files; run it after a lock file changed, with all packages installed."""

from notices.packages import ROOT, read_frontend_packages, read_python_packages
from notices.texts import format_licence_texts, format_package_list

PACKAGE_LIST = ROOT / "docs" / "third-party-packages.txt"
LICENCE_TEXTS = ROOT / "frontend" / "public" / "third-party-notices.txt"


def main() -> None:
    python, frontend = read_python_packages(), read_frontend_packages()
    PACKAGE_LIST.write_text(format_package_list(python, frontend), encoding="utf-8")
    LICENCE_TEXTS.write_text(format_licence_texts(frontend), encoding="utf-8")


if __name__ == "__main__":
    main()
