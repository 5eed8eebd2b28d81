import { CircleAlert, CloudOff, RefreshCw, TriangleAlert, WandSparkles } from "lucide-react";

import { Button } from "@/components/ui/button";

import type { EditorProblem } from "../model/problems";

import { countProblems } from "./validation-badge";

interface Props {
  problems: EditorProblem[];
  /** The server could not be asked. */
  isUnavailable: boolean;
  onRetry: () => void;
  onGo: (problem: EditorProblem) => void;
  /** Null if the document cannot be changed. */
  onFix: ((problem: EditorProblem) => void) | null;
}

/** The problems of the document by line; a click moves the cursor there. */
export function ProblemsPanel({ problems, isUnavailable, onRetry, onGo, onFix }: Props) {
  if (problems.length === 0 && !isUnavailable) return null;
  return (
    <section aria-label="Problems" className="shrink-0 border-t bg-sunken">
      {problems.length > 0 && (
        <>
          <h2 className="px-3 py-1 text-xs font-semibold text-ink-soft">
            {countProblems(problems)}
          </h2>
          <ul className="max-h-36 overflow-y-auto pb-1">
            {problems.map((problem, index) => (
              <ProblemRow key={index} problem={problem} onGo={onGo} onFix={onFix} />
            ))}
          </ul>
        </>
      )}
      {isUnavailable && (
        <div className="flex items-center gap-2 px-3 py-1 text-[13px] text-ink-soft">
          <CloudOff aria-hidden className="size-4 shrink-0 text-warn" />
          <p className="min-w-0 flex-1">
            The server did not answer. Only the YAML syntax was checked.
          </p>
          <Button variant="ghost" size="sm" onClick={onRetry}>
            <RefreshCw aria-hidden />
            Check again
          </Button>
        </div>
      )}
    </section>
  );
}

function ProblemRow({
  problem,
  onGo,
  onFix,
}: { problem: EditorProblem } & Pick<Props, "onGo" | "onFix">) {
  const isError = problem.severity === "error";
  const Icon = isError ? CircleAlert : TriangleAlert;
  return (
    <li className="flex items-start hover:bg-hover">
      <button
        type="button"
        onClick={() => onGo(problem)}
        className="flex min-h-7 min-w-0 flex-1 items-start gap-2 px-3 py-1 text-left text-[13px] focus-visible:-outline-offset-2 max-sm:min-h-11"
      >
        <Icon
          aria-hidden
          className={`mt-0.5 size-4 shrink-0 ${isError ? "text-err" : "text-warn"}`}
        />
        <span className="sr-only">{isError ? "Error" : "Warning"}</span>{" "}
        <span className="w-14 shrink-0 text-ink-soft tabular-nums">line {problem.line}</span>{" "}
        <span className="min-w-0 break-words">{problem.message}</span>
      </button>
      {problem.suggestion !== undefined && onFix && (
        <Button
          variant="ghost"
          size="sm"
          className="mr-2 text-accent"
          onClick={() => onFix(problem)}
        >
          <WandSparkles aria-hidden />
          Change to {problem.suggestion}
        </Button>
      )}
    </li>
  );
}
