from crewai.tools import tool


@tool("add_tax")
def add_tax(price: float) -> float:
    """Returns the price with 19 percent tax."""
    return round(price * 1.19, 2)
