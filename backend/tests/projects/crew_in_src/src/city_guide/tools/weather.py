from crewai.tools import BaseTool


class WeatherTool(BaseTool):
    name: str = "weather"
    description: str = "Returns the weather of a city."

    def _run(self, city: str) -> str:
        return f"Sunny in {city}."
