import type { ImportedCrew, ImportFinding, WorkflowDefinition } from "@/lib/api/types";

/** The kinds of losses in the order of the page, with their titles. Those of Python code come first. */
const TITLES: Record<string, string> = {
  flow: "Flows",
  code: "Python code",
  tool: "Tools",
  callback: "Callbacks",
  hook: "Hooks before and after a run",
  guardrail: "Guardrails",
  "output-schema": "Output schemas",
  crew: "Crews",
  agent: "Agents",
  task: "Tasks",
  knowledge: "Knowledge",
  model: "Models",
  file: "Files",
  setting: "Settings",
  changed: "Changed values",
};
const OTHER = "Other warnings";

interface LossGroup {
  title: string;
  /** Whether running the code as a project would keep something of the group. */
  isCode: boolean;
  items: ImportFinding[];
}

/** Groups the findings of an import by kind; findings without a kind come last. */
export function groupLosses(findings: readonly ImportFinding[]): LossGroup[] {
  const kinds: (string | null)[] = [...Object.keys(TITLES), null];
  return kinds
    .map((kind) => {
      const items = findings.filter((finding) => finding.kind === kind);
      const isCode = items.some(({ remedy }) => remedy === "run-as-project");
      return { title: kind === null ? OTHER : (TITLES[kind] ?? OTHER), isCode, items };
    })
    .filter(({ items }) => items.length > 0);
}

/** What of a crew is kept, by label. */
export function describeKept(definition: WorkflowDefinition): [string, string[]][] {
  const members = [...definition.agents, ...definition.tasks];
  const models = definition.agents.map(({ model }) => model?.name ?? "default model");
  return [
    ["Agents", definition.agents.map(({ key }) => key)],
    ["Tasks", definition.tasks.map(({ key }) => key)],
    ["Inputs", (definition.inputs ?? []).map(({ name }) => name)],
    ["Tools", [...new Set(members.flatMap(({ tools }) => tools ?? []))]],
    ["Models", [...new Set(models)]],
  ];
}

/** Whether an import can be saved without a review: one crew, of which nothing is left out. */
export function needsNoReview(preview: { crews: ImportedCrew[]; warnings: ImportFinding[] }) {
  const [crew] = preview.crews;
  return preview.crews.length === 1 && preview.warnings.length === 0 && crew?.warnings.length === 0;
}
