import csv
from pathlib import Path
from typing import Type

from crewai.tools import BaseTool
from pydantic import BaseModel, Field

TABLE = Path(__file__).parent.parent / "data" / "stock.csv"


class StockInput(BaseModel):
    article: str = Field(..., description="The name of an article.")


class StockTool(BaseTool):
    name: str = "stock_level"
    description: str = "Returns how many pieces of an article are in stock."
    args_schema: Type[BaseModel] = StockInput

    def _run(self, article: str) -> str:
        with TABLE.open(newline="") as table:
            levels = {row["article"]: row["pieces"] for row in csv.DictReader(table)}
        return levels.get(article, "unknown")
