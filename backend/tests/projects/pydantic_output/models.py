from pydantic import BaseModel, Field


class Invoice(BaseModel):
    number: str
    total: float = Field(ge=0)
    items: list[str] = []
