"""Documents shared by tests."""

from crewai_runner.domain.workflow_yaml.cross_references import Registry
from crewai_runner.domain.workflow_yaml.document import ParsedWorkflow, parse
from crewai_runner.domain.workflow_yaml.problems import Problem

MARK = "‸"

MAPPING_FORMAT = """\
name: Research
description: Finds and writes.
process: sequential
max_rpm: 60
inputs:
  topic: {type: string, description: What to look into, default: cats}
  count: {type: integer, default: 3, enum: [1, 3, 5]}
budget: {max_cost: 0.5, max_tokens: 100000}
timeout_seconds: 600
agents:
  researcher:
    role: "{topic} researcher"
    goal: >
      Find {count} facts.
    backstory: An expert.
    llm: {model: openai/gpt-4o-mini, temperature: 0.2, timeout: 30}
    tools: [web_search]
    max_iter: 5
    planning_config: {max_attempts: 2}
  writer:
    role: Writer
    goal: Write
    backstory: A poet.
    llm: gpt-4o
    allow_delegation: true
    knowledge_sources:
      - {type: string, content: We like short sentences.}
tasks:
  research:
    description: Research {topic}
    expected_output: A list
    agent: researcher
    guardrail: Only facts.
  write:
    description: Write it up
    expected_output: A page
    agent: writer
    context: [research]
    markdown: true
    human_input: true
    output_file: report.md
    guardrails: [Short., True.]
    output_json:
      title: Page
      type: object
      properties: {body: {type: string}, tags: {type: array, items: {$ref: "#/$defs/Tag"}}}
      required: [body]
      $defs: {Tag: {type: string, enum: [a, b]}}
embedder: minilm
memory: true
"""

LIST_FORMAT = """\
name: Research
process: hierarchical
managerModel: gpt-4o
inputs:
  - name: topic
    type: text
  - depth
agents:
  - name: researcher
    role: Researcher
    goal: Find {topic} {depth}
    backstory: An expert.
    model: gpt-4o
    allowDelegation: false
    maxIter: 3
    tools: []
    verbose: true
  - writer: {role: Writer, goal: Write, backstory: A poet.}
tasks:
  - name: research
    description: Research
    expectedOutput: A list
    agent: researcher
    asyncExecution: true
  - name: write
    description: Write
    expectedOutput: A page
    context: [research]
    humanInput: true
    outputJson: {type: object, properties: {body: {type: string}}}
onWorkerLoss: restart
"""

CREW_JSON = {
    "name": "Research",
    "crew": {"max_rpm": 5, "cache": True},
    "inputs": {"topic": "cats"},
    "agents": {
        "a": {"role": "{topic}", "goal": "g", "backstory": "b", "settings": {"max_iter": 4, "llm": "m"}}
    },
    "tasks": [{"name": "t", "description": "d", "expected_output": "e", "agent": "a"}],
}

AGENTS = "agents:\n  a: {role: r, goal: g, backstory: b}\n"
TASKS = "tasks:\n  t: {description: d, expected_output: e, agent: a}\n"
MINIMAL = f"name: n\n{AGENTS}{TASKS}"


def marked(text: str) -> tuple[str, int, int]:
    """The text without its mark, and the line and column of the mark."""
    before, _, after = text.partition(MARK)
    return before + after, before.count("\n") + 1, len(before.rsplit("\n", 1)[-1]) + 1


def only(found: list[Problem], code: str) -> Problem:
    matching = [problem for problem in found if problem.code == code]
    assert len(matching) == 1, found
    return matching[0]


def definition_of(text: str, registry: Registry | None = None):
    parsed: ParsedWorkflow = parse(text, registry)
    assert parsed.problems == []
    assert parsed.definition is not None
    return parsed.definition
