/** The search parameters of each page. */
import {
  readFlag,
  readPositiveInteger,
  readChoices,
  readChoice,
  readText,
  type RawSearch,
} from "@/lib/search-params";
import { RUN_STATES } from "@/lib/run-state";

const RUN_VIEWS = [
  "timeline",
  "graph",
  "output",
  "chat",
  "log",
  "network",
  "input",
  "details",
] as const;
const STEP_KINDS = ["agent", "llm", "tool"] as const;
const WORKFLOW_VIEWS = ["split", "yaml", "graph", "form"] as const;
const WORKFLOW_TABS = ["edit", "knowledge", "memory", "runs", "versions"] as const;
const PROJECT_TABS = [
  "overview",
  "versions",
  "build",
  "files",
  "secrets",
  "models",
  "hosts",
  "runs",
] as const;
const AUDIT_RESULTS = ["succeeded", "refused"] as const;
const PERIODS = ["24h", "7d", "30d"] as const;

export const signInSearch = (raw: RawSearch) => optional({ next: readText(raw, "next") });

export const dashboardSearch = (raw: RawSearch) =>
  optional({ period: readChoice(raw, "period", PERIODS) });

export const workflowsSearch = (raw: RawSearch) => optional({ q: readText(raw, "q") });

export const newWorkflowSearch = (raw: RawSearch) =>
  optional({
    template: readText(raw, "template"),
    import: readFlag(raw, "import"),
  });

export const workflowSearch = (raw: RawSearch) =>
  optional({
    tab: readChoice(raw, "tab", WORKFLOW_TABS),
    view: readChoice(raw, "view", WORKFLOW_VIEWS),
    /** The selected node: `agent:researcher` or `task:draft`. */
    node: readText(raw, "node"),
    /** Versions tab: the versions to compare. */
    from: readPositiveInteger(raw, "from"),
    to: readPositiveInteger(raw, "to"),
  });

export const projectsSearch = (raw: RawSearch) => optional({ q: readText(raw, "q") });

export const projectSearch = (raw: RawSearch) =>
  optional({
    tab: readChoice(raw, "tab", PROJECT_TABS),
    /** The version that a tab shows; the newest if absent. */
    version: readPositiveInteger(raw, "version"),
    /** Versions tab: the version to compare with. */
    from: readPositiveInteger(raw, "from"),
    /** Files tab: the path of the shown file. */
    file: readText(raw, "file"),
  });

export const launchSearch = (raw: RawSearch) =>
  optional({
    /** A run whose inputs prefill the form. */
    from: readText(raw, "from"),
    version: readPositiveInteger(raw, "version"),
  });

export const runsSearch = (raw: RawSearch) =>
  optional({
    status: readChoices(raw, "status", RUN_STATES),
    workflow: readText(raw, "workflow"),
    q: readText(raw, "q"),
    since: readText(raw, "since"),
    until: readText(raw, "until"),
  });

export const compareSearch = (raw: RawSearch) =>
  optional({ a: readText(raw, "a"), b: readText(raw, "b") });

export const runSearch = (raw: RawSearch) =>
  optional({
    view: readChoice(raw, "view", RUN_VIEWS),
    span: readText(raw, "span"),
    errors: readFlag(raw, "errors"),
    q: readText(raw, "q"),
    /** Timeline filters: kinds of steps, and the key of a task. */
    kind: readChoices(raw, "kind", STEP_KINDS),
    task: readText(raw, "task"),
  });

export const modelsSearch = (raw: RawSearch) =>
  optional({
    /** The provider whose form is open; `new` for an empty form. */
    provider: readText(raw, "provider"),
    model: readText(raw, "model"),
  });

export const toolsSearch = (raw: RawSearch) =>
  optional({
    /** What the connection to add is for: `search`, `http`, `messages`, or `any`. */
    add: readText(raw, "add"),
    /** The connection whose form is open. */
    edit: readText(raw, "edit"),
    /** The tool that is tried. */
    try: readText(raw, "try"),
  });

export const auditSearch = (raw: RawSearch) =>
  optional({
    actor: readText(raw, "actor"),
    operation: readText(raw, "operation"),
    target: readText(raw, "target"),
    result: readChoice(raw, "result", AUDIT_RESULTS),
    since: readText(raw, "since"),
    until: readText(raw, "until"),
  });

/** Makes every parameter optional in links. */
function optional<T extends object>(search: T): Partial<T> {
  return search;
}
