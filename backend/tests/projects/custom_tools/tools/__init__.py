from .stock import StockTool
from .tax import add_tax

__all__ = ["StockTool", "add_tax"]
