/** What each page keeps in its URL. */
import { flag, integer, listOf, oneOf, text, type RawSearch } from "@/lib/search";
import { RUN_STATES } from "@/lib/run-state";

const RUN_VIEWS = ["timeline", "graph", "output", "chat", "input", "details"] as const;
const STEP_KINDS = ["agent", "llm", "tool"] as const;
const WORKFLOW_VIEWS = ["split", "yaml", "graph", "form"] as const;
const WORKFLOW_TABS = ["edit", "runs", "versions"] as const;
const PERIODS = ["24h", "7d", "30d"] as const;

export const signInSearch = (raw: RawSearch) => optional({ next: text(raw, "next") });

export const dashboardSearch = (raw: RawSearch) =>
  optional({ period: oneOf(raw, "period", PERIODS) });

export const workflowsSearch = (raw: RawSearch) => optional({ q: text(raw, "q") });

export const newWorkflowSearch = (raw: RawSearch) =>
  optional({
    template: text(raw, "template"),
    import: flag(raw, "import"),
  });

export const workflowSearch = (raw: RawSearch) =>
  optional({
    tab: oneOf(raw, "tab", WORKFLOW_TABS),
    view: oneOf(raw, "view", WORKFLOW_VIEWS),
    /** What is selected: `agent:researcher` or `task:draft`. */
    node: text(raw, "node"),
    /** Versions tab: the two that are compared. */
    from: integer(raw, "from"),
    to: integer(raw, "to"),
  });

export const launchSearch = (raw: RawSearch) =>
  optional({
    /** A run whose inputs fill the form. */
    from: text(raw, "from"),
    version: integer(raw, "version"),
  });

export const runsSearch = (raw: RawSearch) =>
  optional({
    status: listOf(raw, "status", RUN_STATES),
    workflow: text(raw, "workflow"),
    q: text(raw, "q"),
    since: text(raw, "since"),
    until: text(raw, "until"),
  });

export const compareSearch = (raw: RawSearch) => optional({ a: text(raw, "a"), b: text(raw, "b") });

export const runSearch = (raw: RawSearch) =>
  optional({
    view: oneOf(raw, "view", RUN_VIEWS),
    span: text(raw, "span"),
    errors: flag(raw, "errors"),
    q: text(raw, "q"),
    /** Timeline: only these kinds of steps, only the steps of this task. */
    kind: listOf(raw, "kind", STEP_KINDS),
    task: text(raw, "task"),
  });

export const modelsSearch = (raw: RawSearch) =>
  optional({
    /** The provider whose form is open; `new` for an empty one. */
    provider: text(raw, "provider"),
    model: text(raw, "model"),
  });

/** Every part of an address may be left out. */
function optional<T extends object>(found: T): Partial<T> {
  return found;
}
