import { CircleAlert, TriangleAlert } from "lucide-react";

import type { YamlProblem } from "@/lib/api/types";

interface Props {
  problems: readonly YamlProblem[];
  /** Makes the line numbers buttons. */
  onSelect?: (problem: YamlProblem) => void;
}

/** The problems of a document by line. */
export function YamlProblemList({ problems, onSelect }: Props) {
  return (
    <ul
      // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
      tabIndex={0}
      aria-label="Problems by line"
      className="max-h-64 divide-y divide-line overflow-y-auto rounded-md border bg-surface"
    >
      {problems.map((problem, index) => (
        <li key={index} className="grid grid-cols-[auto_4.5rem_minmax(0,1fr)] gap-x-2 px-3 py-2">
          <SeverityIcon problem={problem} />
          {problem.line > 0 && onSelect ? (
            <button
              type="button"
              onClick={() => onSelect(problem)}
              className="text-left text-accent underline underline-offset-2"
            >
              line {problem.line}
            </button>
          ) : (
            <span className="text-ink-faint">{problem.line > 0 ? `line ${problem.line}` : ""}</span>
          )}
          <span className="break-words">
            {problem.message}
            {problem.path && (
              <code className="ml-1 font-mono text-xs text-ink-faint">{problem.path}</code>
            )}
          </span>
        </li>
      ))}
    </ul>
  );
}

function SeverityIcon({ problem }: { problem: YamlProblem }) {
  const isWarning = problem.severity === "warning";
  const Icon = isWarning ? TriangleAlert : CircleAlert;
  return (
    <span className={isWarning ? "text-warn" : "text-err"}>
      <Icon aria-hidden className="mt-0.5 size-4" />
      <span className="sr-only">{isWarning ? "Warning" : "Error"}</span>
    </span>
  );
}
