# ruff: noqa: E501 - a table is read by its rows
"""Every problem and warning: its code, a case, and a document with `‸` at the position of the report."""

A = "agents:\n  a: {role: r, goal: g, backstory: b}\n"
T = "tasks:\n  t: {description: d, expected_output: e, agent: a}\n"
_TWO = "agents:\n  a: {role: r, goal: g, backstory: b}\n  b: {role: r, goal: g, backstory: b}\n"


HIERARCHICAL = "process: hierarchical\nmanager_llm: m\n"
MANAGED_BY_A = "process: hierarchical\nmanager_agent: a\n"


def agent(extra: str, *, name: str = "a") -> str:
    return f"name: n\nagents:\n  {name}: {{role: r, goal: g, backstory: b, {extra}}}\n{T}"


def task(extra: str) -> str:
    return f"name: n\n{A}tasks:\n  t: {{description: d, expected_output: e, agent: a, {extra}}}\n"


def tasks(*lines: str, agents: str = _TWO, top: str = "") -> str:
    body = "\n".join(f"  {line}" for line in lines)
    return f"name: n\n{top}{agents}tasks:\n{body}\n"


def work(name: str, extra: str = "") -> str:
    """A task with the required keys."""
    return f"{name}: {{description: d, expected_output: e{', ' if extra else ''}{extra}}}"


def crew(line: str) -> str:
    return f"name: n\n{line}\n{A}{T}"


def inputs(body: str) -> str:
    return f"name: n\ninputs: {body}\n{A.replace('role: r', 'role: x')}{T}"


def schema(body: str) -> str:
    return task(f"output_json: {body}")


ERRORS: list[tuple[str, str, str]] = [
    # the text itself
    ("syntax", "a tab", "name: n\n‸\tagents: 1\n"),
    ("syntax", "an open bracket", "name: ‸[1, 2\n"),
    ("syntax", "an open brace", "name: ‸{a: 1\n"),
    ("syntax", "an open quote", "name: ‸'n\nagents: 1\n"),
    ("syntax", "an open double quote", 'name: ‸"n\n'),
    ("syntax", "a second colon", "name: a‸: b\n"),
    ("syntax", "a wrong dedent", "name:\n    a: 1\n  ‸b: 2\n"),
    ("syntax", "a line without a colon", "name: n\n‸foo\nbar: 1\n"),
    ("syntax", "an at sign", "name: ‸@n\n"),
    ("syntax", "an unknown escape", 'name: "‸\\q"\n'),
    ("syntax", "an empty item in a list", "name: [a,‸, b]\n"),
    ("syntax", "an alias without a name", "name: *‸\n"),
    ("syntax", "a list item among keys", "a: 1\n‸- b\n"),
    ("syntax", "a wrong version", "‸%YAML 3.0\n---\na: 1\n"),
    ("control-character", "a null byte", "name: ‸\x00\n"),
    ("control-character", "an escape", 'name: ‸"\\0"\n' + A + T),
    ("control-character", "half a surrogate pair", "name: ‸\ud800\n"),
    ("empty-document", "nothing", "‸"),
    ("empty-document", "a comment", "‸# nothing\n"),
    ("several-documents", "two", f"name: n\n{A}{T}‸---\nname: m\n"),
    ("duplicate-key", "twice", f"name: n\n‸name: m\n{A}{T}"),
    ("duplicate-key", "an agent twice", f"name: n\n{A}  ‸a: {{role: r, goal: g, backstory: b}}\n{T}"),
    ("duplicate-key", "in both naming styles", task("tools: [x], async_execution: true, ‸asyncExecution: true")),
    ("key-not-text", "a number", crew("‸1: a")),
    ("key-not-text", "a boolean", crew("‸on: a")),
    ("key-not-text", "a list", crew("? ‸[a]\n: b")),
    ("unsafe-tag", "Python", crew("description: ‸!!python/object/apply:os.system ['id']")),
    ("unsafe-tag", "custom", crew("description: ‸!secret a")),
    ("unsafe-tag", "binary", crew("description: ‸!!binary aGk=")),
    ("unknown-alias", "no anchor", crew("description: ‸*nowhere")),
    ("recursive-alias", "itself", crew("knowledge: &x [‸*x]")),
    ("bad-merge", "a text", crew("<<: ‸text")),
    ("bad-number", "infinity", crew("max_rpm: ‸.inf")),
    ("bad-number", "not a number", crew("max_rpm: ‸.nan")),
    ("bad-number", "huge", crew("max_rpm: ‸" + "9" * 5000)),
    ("too-deep", "brackets", "a: " + "[" * 39 + "‸[" + "]" * 40),
    ("wrong-type", "a list", "‸- a\n"),
    # keys and values
    ("missing-field", "no agents", f"‸name: n\n{T}"),
    ("missing-field", "no tasks", f"‸name: n\n{A}"),
    ("missing-field", "agents without any", f"name: n\nagents: ‸{{}}\n{T}"),
    ("missing-field", "tasks without any", f"name: n\n{A}tasks: ‸[]\n"),
    ("missing-field", "no goal", f"name: n\nagents:\n  ‸a: {{role: r, backstory: b}}\n{T}"),
    ("missing-field", "a goal without a value", f"name: n\nagents: {{a: {{role: r, ‸goal: , backstory: b}}}}\n{T}"),
    ("missing-field", "a list item without description", f"name: n\n{A}tasks:\n  - ‸agent: a\n    expected_output: e\n"),
    ("missing-field", "no agent for a task", f"name: n\n{A}tasks:\n  ‸t: {{description: d, expected_output: e}}\n"),
    ("unknown-key", "at the top", crew("‸proces: sequential")),
    ("unknown-key", "in an agent", agent("‸max_iters: 3")),
    ("unknown-key", "in a task", task("‸expectedOutputs: x")),
    ("unknown-key", "in a model", agent("llm: {model: m, ‸temprature: 1}")),
    ("unknown-key", "in a budget", crew("budget: {‸max_money: 1}")),
    ("unknown-key", "in an input", crew("inputs: {x: {‸typ: string}}")),
    ("unknown-key", "in a planning", agent("planning_config: {‸max_atempts: 2}")),
    ("wrong-type", "a number for text", agent("guardrail: ‸5")),
    ("wrong-type", "text for a boolean", agent("verbose: ‸'true'")),
    ("wrong-type", "text for a whole number", agent("max_iter: ‸'5'")),
    ("wrong-type", "a fraction for a whole number", agent("max_iter: ‸2.5")),
    ("wrong-type", "a boolean for a number", agent("llm: {model: m, temperature: ‸true}")),
    ("wrong-type", "text for a list", agent("tools: ‸search")),
    ("wrong-type", "a list for a model", agent("llm: [‸m]").replace("[‸", "‸[")),
    ("wrong-type", "a list for a budget", crew("budget: ‸[1]")),
    ("wrong-type", "text for agents", f"name: n\nagents: ‸a\n{T}"),
    ("wrong-type", "an agent that is text", f"name: n\nagents:\n  a: ‸text\n{T}"),
    ("wrong-type", "text for a cost", crew("budget: {max_cost: ‸much}")),
    ("wrong-type", "an infinite cost", crew("budget: {max_cost: ‸'Infinity'}")),
    ("wrong-type", "a boolean for a cost", crew("budget: {max_cost: ‸true}")),
    ("wrong-type", "a number in a list of tools", agent("tools: [‸5]")),
    ("wrong-type", "a number for a stop text", agent("llm: {model: m, stop: ‸5}")),
    ("wrong-type", "knowledge without content", crew("knowledge: [‸{type: string}]")),
    ("wrong-type", "a default of another type", inputs("{x: {type: integer, default: ‸y}}")),
    ("wrong-type", "an option of another type", inputs("{x: {type: integer, enum: [1, ‸y]}}")),
    ("wrong-type", "a number as the default of a list", inputs("{x: {type: array, default: ‸1}}")),
    ("out-of-range", "too many steps", agent("max_iter: ‸100000")),
    ("out-of-range", "no steps", agent("max_iter: ‸0")),
    ("out-of-range", "a temperature that is too high", agent("llm: {model: m, temperature: ‸2.1}")),
    ("out-of-range", "zero cost", crew("budget: {max_cost: ‸0}")),
    ("out-of-range", "too many decimal places", crew("budget: {max_cost: ‸0.00000000001}")),
    ("out-of-range", "a timeout that is too long", crew("timeout_seconds: ‸99999999")),
    ("empty-text", "a role", f"name: n\nagents: {{a: {{role: ‸' ', goal: g, backstory: b}}}}\n{T}"),
    ("empty-text", "a stop text", agent("llm: {model: m, stop: [‸' ']}")),
    ("text-too-long", "a role", f"name: n\nagents: {{a: {{role: ‸{'r' * 501}, goal: g, backstory: b}}}}\n{T}"),
    ("too-many-items", "tools", agent(f"tools: ‸[{', '.join(f't{n}' for n in range(51))}]")),
    ("too-many-items", "members of the request body", agent(f"llm: {{model: m, extra_body: ‸{{a: [{', '.join(['1'] * 200)}]}}}}")),
    ("unknown-value", "a process", crew("process: ‸sequental")),
    ("unknown-value", "a policy", agent("tool_failure_policy: ‸panic")),
    ("unknown-value", "a default that is no option", inputs("{x: {default: ‸c, enum: [a, b]}}")),
    ("unknown-value", "an effort", agent("llm: {model: m, reasoning_effort: ‸'Very high'}")),
    ("bad-name", "braces", agent("x: 1", name="a").replace("  a: {role", "  ‸'a{b}': {role").replace(", x: 1", "")),
    ("bad-name", "an input with a space", inputs("{‸'x y': 1}")),
    ("bad-name", "a tool with a space at its end", agent("tools: [‸'a ']")),
    ("duplicate-name", "two in a list", f"name: n\nagents:\n  - {{name: a, role: r, goal: g, backstory: b}}\n  - {{name: ‸a, role: r, goal: g, backstory: b}}\n{T}"),
    ("duplicate-name", "two inputs", inputs("[x, ‸x]")),
    # what is unsafe
    ("unsafe-key", "a command", agent("mcps: [{‸command: touch, args: [/tmp/x]}]")),
    ("unsafe-key", "an address", agent("mcps: [‸'https://example.org/mcp#tool']")),
    ("unsafe-key", "a tool by its module", agent("tools: [‸'os:system']")),
    ("unsafe-key", "a custom tool", agent("tools: [‸'custom:x']")),
    ("unsafe-key", "a tool with a type", agent("tools: [{‸tool_type: os.system}]")),
    ("unsafe-key", "a reference to Python", agent("guardrail: {‸python: os.system}")),
    ("unsafe-key", "a callback of an agent", agent("‸step_callback: os.system")),
    ("unsafe-key", "a callback in camelCase", agent("‸stepCallback: os.system")),
    ("unsafe-key", "an executor", agent("‸executor_class: x.Y")),
    ("unsafe-key", "a config", agent("‸config: {role: x}")),
    ("unsafe-key", "a repository", agent("‸from_repository: x")),
    ("unsafe-key", "platform apps", agent("‸apps: [gmail]")),
    ("unsafe-key", "an agent class", agent("‸type: {python: x.Y}")),
    ("unsafe-key", "a key", agent("llm: {model: m, ‸api_key: sk-1}")),
    ("unsafe-key", "an endpoint", agent("llm: {model: m, ‸base_url: 'http://x'}")),
    ("unsafe-key", "an embedder with a key", crew("embedder: {‸provider: openai, config: {api_key: x}}")),
    ("unsafe-key", "a file of knowledge", crew("knowledge_sources: [{type: ‸text_file, file_paths: [/etc/passwd]}]")),
    ("unsafe-key", "a kind of knowledge", crew("knowledge: [{type: ‸pdf, content: x}]")),
    ("unsafe-key", "a folder of knowledge", crew("knowledge: [{‸directory: x, content: x}]")),
    ("unsafe-key", "a callback of a task", task("‸callback: os.system")),
    ("unsafe-key", "a converter", task("‸converter_cls: x.Y")),
    ("unsafe-key", "input files", task("‸input_files: {a: /etc/passwd}")),
    ("unsafe-key", "a condition", task("‸condition: {python: x.y}")),
    ("unsafe-key", "a conditional task", task("‸type: ConditionalTask")),
    ("unsafe-key", "an output class", task("output_pydantic: ‸my.Model")),
    ("unsafe-key", "a log file", crew("‸output_log_file: /tmp/x")),
    ("unsafe-key", "a trained file", crew("‸trained_agents_file: x.pkl")),
    ("unsafe-key", "a prompt file", crew("‸prompt_file: /etc/passwd")),
    ("unsafe-key", "a callback of the crew", crew("‸before_kickoff_callbacks: [os.system]")),
    ("unsafe-key", "sharing", crew("‸share_crew: true")),
    ("bad-host", "an address with a path", crew("allowed_hosts: [a.example, ‸https://b.example/x]")),
    ("bad-host", "a name in front of the host", crew("allowed_hosts: [‸a.example@b.example]")),
    ("bad-host", "every host of a top-level domain", crew("allowed_hosts: [‸'*.com']")),
    ("wrong-type", "text for a list of hosts", crew("allowed_hosts: ‸a.example")),
    ("unknown-value", "an unknown network", crew("network: ‸some")),
    ("bad-approver", "a role that answers nothing", task("approver: ‸viewer")),
    ("bad-approver", "a role of the crew that answers nothing", crew("approver: ‸viewer")),
    ("bad-approver", "two addresses", task("approver: ‸'a@b.example, c@d.example'")),
    ("unsafe-path", "an absolute path", task("output_file: ‸/etc/report.md")),
    ("unsafe-path", "a drive", task("output_file: ‸'C:/report.md'")),
    ("unsafe-path", "a folder only", task("output_file: ‸out/")),
    ("unsafe-path", "a parent folder inside", task("output_file: ‸out/../../x.md")),
    ("unsafe-path", "a hidden folder", task("output_file: ‸out/.git/config")),
    ("unsafe-path", "a device in a folder", task("output_file: ‸out/con.txt/a")),
    ("unsafe-path", "a placeholder", task("output_file: ‸'{p}.md'")),
    ("unsafe-path", "the parent folder", task("output_file: ‸..")),
    ("unsafe-path", "a backslash", task("output_file: ‸'a\\b'")),
    ("unsafe-path", "a hidden file", task("output_file: ‸.env")),
    ("unsafe-path", "a device", task("output_file: ‸NUL.txt")),
    ("unsafe-path", "shell characters", task("output_file: ‸'a;b'")),
    ("unsupported-key", "planning of the crew", crew("‸planning: true")),
    ("unsupported-key", "a careful plan", agent("planning_config: {‸reasoning_effort: high}")),
    ("unsupported-key", "a model for plans", agent("planning_config: {‸llm: x}")),
    ("unsupported-key", "memory of an agent", agent("‸memory: true")),
    ("unsupported-key", "a model of a task", task("‸llm: m")),
    ("deprecated-key", "reasoning", agent("‸reasoning: true")),
    ("deprecated-key", "code", agent("‸allow_code_execution: true")),
    ("deprecated-key", "a model for tools", agent("‸function_calling_llm: m")),
    ("deprecated-key", "retries", task("‸max_retries: 2")),
    # output_json
    ("bad-schema", "a wrong type", schema("{type: object, properties: {n: {type: ‸intger}}}")),
    ("bad-schema", "no object", schema("‸{type: array, properties: {n: {}}}")),
    ("bad-schema", "no properties", schema("‸{type: object}")),
    ("bad-schema", "a reference to elsewhere", schema("{type: object, properties: {n: {$ref: ‸'http://x/y'}}}")),
    ("bad-schema", "a reference to nothing", schema("{type: object, properties: {n: {$ref: ‸'#/$defs/X'}}}")),
    ("bad-schema", "an id", schema("{type: object, $id: ‸'http://x/y', properties: {n: {}}}")),
    ("bad-schema", "a pattern that looks ahead", schema("{type: object, properties: {n: {type: string, pattern: ‸'(?=a)'}}}")),
    ("bad-schema", "a format", schema("{type: object, properties: {n: {type: string, format: ‸email}}}")),
    ("bad-schema", "a file format", schema("{type: object, properties: {n: {format: ‸file-path}}}")),
    ("bad-schema", "a broken pattern", schema("{type: object, properties: {n: {type: string, pattern: ‸'('}}}")),
    ("bad-schema", "a name CrewAI cannot use", schema("{type: object, properties: {‸_n: {type: string}}}")),
    ("bad-schema", "a boolean for a schema", schema("{type: object, properties: {n: ‸true}}")),
    ("bad-schema", "an option that is a list", schema("{type: object, properties: {n: {enum: [a, ‸[b]]}}}")),
    # how the parts fit
    ("unknown-agent", "of a task", tasks(work("t", "agent: ‸c"))),
    ("unknown-agent", "that manages", tasks(work("t", "agent: a"), top="process: hierarchical\nmanager_agent: ‸boss\n")),
    ("unknown-context", "a typo", tasks(work("write", "agent: a"), work("t", "agent: b, context: [write, ‸wrte]"))),
    ("context-itself", "itself", task("context: [‸t]")),
    ("context-later", "later", tasks(work("t", "agent: a, context: [‸u]"), work("u", "agent: b"))),
    ("context-cycle", "two tasks", tasks(work("t", "agent: a, context: [‸u]"), work("u", "agent: b, context: [t]"))),
    ("context-cycle", "three tasks", tasks(work("t", "agent: a, context: [‸v]"), work("u", "agent: b, context: [t]"), work("v", "agent: b, context: [u]"))),
    ("manager-with-tools", "tools", tasks(work("t", "agent: b"), agents=_TWO.replace("  a: {", "  a: {tools: ‸[x], "), top=MANAGED_BY_A)),
    ("manager-alone", "alone", tasks(work("t"), agents=A, top="process: hierarchical\nmanager_agent: ‸a\n")),
    ("manager-with-task", "a task", tasks(work("t", "agent: ‸a"), top=MANAGED_BY_A)),
    ("guardrail-without-agent", "no agent", tasks(work("‸t", "guardrail: x"), top=HIERARCHICAL)),
    ("async-at-the-end", "two", tasks(work("t", "agent: a, async_execution: true"), work("u", "agent: b, async_execution: ‸true"))),
    ("async-same-agent", "one agent", tasks(work("t", "agent: a, async_execution: true"), work("u", "agent: ‸a, async_execution: true"), work("v", "agent: b"))),
    ("async-same-agent", "one manager", tasks(work("t", "agent: a, async_execution: true"), work("u", "agent: b, async_execution: ‸true"), work("v", "agent: b"), top=HIERARCHICAL)),
    ("async-context", "side by side", tasks(work("t", "agent: a, async_execution: true"), work("u", "agent: b, async_execution: true, context: [‸t]"), work("v", "agent: b"))),
    ("async-human-input", "human input", task("human_input: ‸true, async_execution: true")),
    ("undeclared-input", "a typo", f"name: n\ninputs: {{topic: x}}\nagents:\n  a: {{role: '{{topic}}', goal: ‸'{{topc}}', backstory: b}}\n{T}"),
    # what is not registered
    ("unknown-tool", "a typo", agent("tools: [web_search, ‸web_serch]")),
    ("unknown-mcp-server", "a typo", agent("mcps: [‸file]")),
]  # fmt: skip

WARNINGS: list[tuple[str, str, str]] = [
    ("tool-alias", "a tool class of CrewAI", agent("tools: [‸SerperDevTool]")),
    ("no-hosts", "a list of hosts that is missing", crew("network: ‸listed")),
    ("no-effect", "hosts without a network", crew("network: none\nallowed_hosts: ‸[a.example]")),
    ("no-effect", "any host beside a list", crew("network: ‸any\nallowed_hosts: [a.example]")),
    ("missing-name", "no name", f"‸{A}{T}"),
    ("no-effect", "verbose", crew("‸verbose: true")),
    ("no-effect", "planning that is off", crew("‸planning: false")),
    ("no-effect", "the usual type", agent("‸type: Agent")),
    ("no-effect", "a manager in a sequential crew", crew("manager_llm: ‸gpt-4o")),
    ("no-effect", "two managers", tasks(work("t"), top="process: hierarchical\nmanager_agent: a\nmanager_llm: ‸gpt-4o\n")),
    ("no-effect", "another name", task("‸name: u").replace("‸name: u", "name: ‸u")),
    ("unused-agent", "b", tasks(work("t", "agent: a"), agents=_TWO.replace("  b", "  ‸b"))),
    ("default-manager", "no manager", tasks(work("t"), top="process: ‸hierarchical\n")),
    ("embedder-missing", "memory", crew("memory: ‸true")),
    ("embedder-missing", "knowledge of an agent", agent("knowledge: ‸[x]")),
    ("undeclared-input", "no inputs", f"name: n\nagents:\n  a: {{role: ‸'{{topic}}', goal: g, backstory: b}}\n{T}"),
    ("unused-input", "no placeholder", inputs("{‸x: 1}")),
    ("duplicate-item", "twice", agent("tools: [web_search, ‸web_search]")),
    ("model-not-registered", "a typo", agent("llm: ‸gpt-4")),
    ("model-not-registered", "with settings", agent("llm: ‸{model: gpt-4}")),
    ("model-not-registered", "an embedder", crew("embedder: ‸mini\nmemory: true")),
]  # fmt: skip
