/** A schema for tests, built like the server's: aliases of keys, mapping or list form, null for an unset key. */
import type { SchemaNode } from "./workflow-schema";

type Annotations = Pick<SchemaNode, "title" | "x-form" | "x-reference">;

const text = (description: string, annotations: Annotations = {}): SchemaNode => ({
  ...annotations,
  description,
  type: "string",
  maxLength: 20_000,
});
const optional = (
  description: string,
  node: SchemaNode,
  annotations: Annotations = {},
): SchemaNode => ({ ...annotations, description, anyOf: [node, { type: "null" }] });

const STRING: SchemaNode = { type: "string" };
const POLICY: SchemaNode = { type: "string", enum: ["ignore", "warn"] };
const MODEL_NAME: SchemaNode = { ...STRING, description: "m", "x-reference": "model" };
const MODEL: SchemaNode = {
  anyOf: [
    STRING,
    { type: "object", properties: { model: MODEL_NAME, temperature: { type: "number" } } },
  ],
};
const TOOLS: SchemaNode = {
  type: "array",
  items: { type: "string", examples: ["calculator", "wait"] },
};

const agent: SchemaNode = {
  type: "object",
  properties: {
    role: { ...text("What the agent is.", { title: "Role", "x-form": true }), maxLength: 500 },
    goal: text("What it should achieve.", { title: "Goal", "x-form": true }),
    llm: optional("A registered model.", MODEL, {
      title: "Model",
      "x-form": true,
      "x-reference": "model",
    }),
    model: optional("A registered model.", MODEL, { "x-form": true, "x-reference": "model" }),
    tools: optional("Tools.", TOOLS, { title: "Tools", "x-form": true, "x-reference": "tool" }),
    max_iter: optional(
      "Maximum steps.",
      { type: "integer" },
      { title: "Max iterations", "x-form": true },
    ),
    maxIter: optional(
      "Maximum steps.",
      { type: "integer" },
      { title: "Max iterations", "x-form": true },
    ),
    verbose: optional("Accepted.", { type: "boolean" }),
    settings: { type: "object", description: "A wrapper." },
  },
  allOf: [{ anyOf: [{ required: ["role"] }] }, { anyOf: [{ required: ["goal"] }] }],
};
const task: SchemaNode = {
  type: "object",
  properties: {
    description: text("What to do with `{name}`.", { title: "Description", "x-form": true }),
    agent: optional("The agent that performs it.", STRING, {
      title: "Agent",
      "x-form": true,
      "x-reference": "agent",
    }),
    context: optional(
      "Earlier tasks.",
      { type: "array", items: STRING },
      { title: "Context", "x-form": true, "x-reference": "task" },
    ),
    human_input: optional(
      "A review.",
      { type: "boolean" },
      { title: "Human input", "x-form": true },
    ),
    tool_failure_policy: optional("Policy.", POLICY, { title: "Tool failure policy" }),
    toolFailurePolicy: optional("Policy.", POLICY, { title: "Tool failure policy" }),
  },
  allOf: [{ anyOf: [{ required: ["description"] }] }],
};

// oxlint-disable-next-line unicorn/no-thenable -- the keyword of JSON Schema
const THEN = "then";
const createSection = (kind: string, namedKind: string): SchemaNode => ({
  [THEN]: {
    type: "array",
    items: {
      [THEN]: { $ref: `#/$defs/${namedKind}` },
      else: { type: "object", additionalProperties: { $ref: `#/$defs/${kind}` } },
    },
  },
  else: { type: "object", additionalProperties: { $ref: `#/$defs/${kind}` } },
});
const addName = (node: SchemaNode): SchemaNode => ({
  ...node,
  properties: { name: text("Its name."), ...node.properties },
  required: ["name"],
});

export const SAMPLE_SCHEMA: SchemaNode = {
  type: "object",
  properties: {
    name: optional("Name of the workflow.", STRING),
    agents: { description: "The agents.", $ref: "#/$defs/agents" },
    tasks: { description: "The tasks.", $ref: "#/$defs/tasks" },
    process: optional("How.", { type: "string", enum: ["sequential", "hierarchical"] }),
    manager_agent: optional("Manages.", STRING, { "x-reference": "agent" }),
    allowed_hosts: optional(
      "The only hosts tools may contact.",
      { type: "array", items: { ...STRING, examples: ["api.example.com"] } },
      { title: "Allowed hosts", "x-form": true },
    ),
    embedder: optional("Embeds.", STRING, { "x-reference": "embedder" }),
    crew: { $ref: "#/$defs/agents" },
  },
  anyOf: [{ required: ["agents", "tasks"] }, { required: ["crew"] }],
  $defs: {
    agent,
    task,
    namedAgent: addName(agent),
    namedTask: addName(task),
    agents: createSection("agent", "namedAgent"),
    tasks: createSection("task", "namedTask"),
  },
};
