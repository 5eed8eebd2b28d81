/** The fields of the form, in its order. Everything else stays in the YAML, untouched. */
import type { MemberKind } from "../model/document";

export interface FormField {
  name: string;
  label: string;
  kind: "line" | "prose" | "number" | "flag" | "model" | "agent" | "tasks" | "tools";
  required?: boolean;
  hint?: string;
}

const AGENT: FormField[] = [
  { name: "role", label: "Role", kind: "line", required: true, hint: "What the agent is." },
  { name: "goal", label: "Goal", kind: "prose", required: true, hint: "What it wants to reach." },
  {
    name: "backstory",
    label: "Backstory",
    kind: "prose",
    required: true,
    hint: "Who it is and how it works.",
  },
  { name: "llm", label: "Model", kind: "model" },
  { name: "tools", label: "Tools", kind: "tools" },
  { name: "max_iter", label: "Most steps for one task", kind: "number", hint: "25 when empty." },
  { name: "max_execution_time", label: "Most seconds for one task", kind: "number" },
  {
    name: "allow_delegation",
    label: "May delegate",
    kind: "flag",
    hint: "Hands work to other agents and asks them.",
  },
  {
    name: "planning",
    label: "Plans first",
    kind: "flag",
    hint: "Makes a plan before it works on a task.",
  },
  {
    name: "inject_date",
    label: "Knows the date",
    kind: "flag",
    hint: "Adds today’s date to its tasks.",
  },
  {
    name: "guardrail",
    label: "Guardrail",
    kind: "prose",
    hint: "A rule in words that its answers are checked against.",
  },
];

const TASK: FormField[] = [
  {
    name: "description",
    label: "Description",
    kind: "prose",
    required: true,
    hint: "What is to be done. {name} is filled from the inputs.",
  },
  {
    name: "expected_output",
    label: "Expected output",
    kind: "prose",
    required: true,
    hint: "What the result looks like.",
  },
  { name: "agent", label: "Agent", kind: "agent" },
  { name: "context", label: "Builds on", kind: "tasks", hint: "The results of earlier tasks." },
  { name: "tools", label: "Tools", kind: "tools", hint: "For this task, instead of the agent’s." },
  {
    name: "human_input",
    label: "Ask a person",
    kind: "flag",
    hint: "Somebody looks at the answer before it counts.",
  },
  {
    name: "async_execution",
    label: "Run beside others",
    kind: "flag",
    hint: "The next task may begin before this one has ended.",
  },
  { name: "markdown", label: "Answer in Markdown", kind: "flag" },
  {
    name: "guardrail",
    label: "Guardrail",
    kind: "prose",
    hint: "A rule in words that the answer is checked against.",
  },
  {
    name: "output_file",
    label: "Output file",
    kind: "line",
    hint: "A plain file name, such as report.md.",
  },
];

export const FIELDS: Record<MemberKind, FormField[]> = { agent: AGENT, task: TASK };
