from crew import MonthlyReport


def run():
    """Write the report of a department."""
    MonthlyReport().crew().kickoff(inputs={"topic": "sales", "lines": 20, "draft": True})
    with open("reports/2026/summary.md") as report:
        print(report.read())


if __name__ == "__main__":
    run()
