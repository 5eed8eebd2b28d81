import os

from pydantic_settings import BaseSettings


class Settings(BaseSettings):
    shop_token: str
    page_size: int = 20


REGION = os.environ["SHOP_REGION"]
TIMEOUT = int(os.environ.get("SHOP_TIMEOUT", "10"))
os.environ["WRITTEN_ONLY"] = "1"
