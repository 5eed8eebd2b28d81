from crewai import LLM, Agent, Crew, Task

claude = LLM(model="anthropic/claude-sonnet-4-6")
fast = LLM("groq/llama-3.1-8b-instant")
local = "ollama/llama3.2"


def run():
    translator = Agent(role="Translator", goal="Translate", backstory="You know Greek.", llm=claude)
    editor = Agent(role="Editor", goal="Edit", backstory="You are strict.", llm=local)
    tasks = [
        Task(description="Translate {text}", expected_output="Greek", agent=translator),
        Task(description="Edit it", expected_output="Good Greek", agent=editor),
    ]
    Crew(agents=[translator, editor], tasks=tasks, function_calling_llm=fast).kickoff(inputs={"text": "yes"})
