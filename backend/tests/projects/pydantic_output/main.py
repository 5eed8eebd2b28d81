from crew import InvoiceCrew

DEFAULTS = {"topic": "invoice 7", "currencies": ["EUR", "USD"]}


def run():
    result = InvoiceCrew().crew().kickoff(inputs=DEFAULTS)
    print(result.pydantic.total)
