from crewai import Agent


def summary_agent():
    return Agent(role="Analyst", goal="Summarize", backstory="You like tables.")
