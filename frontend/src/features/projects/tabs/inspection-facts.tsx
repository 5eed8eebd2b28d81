import type { ProjectInspection } from "@/lib/api/types";

import { kindLabel } from "@/lib/entry-points";

/** What the files of a version say. */
export function InspectionFacts({ inspection }: { inspection: ProjectInspection }) {
  const { inputs = [], models = [], tools = [], missingPackages = [] } = inspection;
  const facts: [string, string[]][] = [
    ["Kind", [kindLabel(inspection.kind)]],
    ["Inputs", inputs.map(({ name, required }) => (required ? name : `${name} (optional)`))],
    ["Models", models],
    ["Tools", tools],
    ["Environment variables", inspection.environmentNames ?? []],
    ["Python", inspection.python ? [inspection.python] : []],
    ["CrewAI", inspection.crewai ? [inspection.crewai] : []],
    ["Added packages", missingPackages],
  ];
  return (
    <dl
      aria-label="Inspection"
      className="grid gap-x-4 gap-y-1.5 sm:grid-cols-[11rem_minmax(0,1fr)]"
    >
      {facts.map(([label, values]) => (
        <div key={label} className="contents">
          <dt className="text-ink-soft max-sm:-mb-1.5 max-sm:text-xs">{label}</dt>
          <dd className="min-w-0 break-words">
            {values.length > 0 ? (
              values.join(", ")
            ) : (
              <span className="text-ink-faint">none named</span>
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}
