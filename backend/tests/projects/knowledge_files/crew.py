from crewai import Agent, Crew, Task
from crewai.knowledge.source.pdf_knowledge_source import PDFKnowledgeSource
from crewai.knowledge.source.text_file_knowledge_source import TextFileKnowledgeSource

texts = TextFileKnowledgeSource(file_paths=["holidays.txt"])
contracts = PDFKnowledgeSource(file_paths=["contracts.pdf"])
clerk = Agent(role="Clerk", goal="Answer", backstory="You know the rules.", knowledge_sources=[texts, contracts])
answer = Task(description="Answer: {question}", expected_output="One sentence", agent=clerk)


def build_crew():
    return Crew(agents=[clerk], tasks=[answer])
