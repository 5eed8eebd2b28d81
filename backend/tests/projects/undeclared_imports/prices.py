from yfinance_of_mine import QUOTE

NOTE = QUOTE
