from dotenv import load_dotenv
from steps import build_graph

load_dotenv()
graph = build_graph()
graph.invoke({"subject": "bees"})
