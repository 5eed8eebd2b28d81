import { CircleAlert, CircleCheck, TriangleAlert, WandSparkles } from "lucide-react";

import { Button } from "@/components/ui/button";
import { pluralize } from "@/lib/format";

import type { EditorProblem } from "../model/problems";

interface Props {
  problems: EditorProblem[];
  onGo: (problem: EditorProblem) => void;
  onFix: (problem: EditorProblem) => void;
}

/** What is wrong, line by line; a click leads there. */
export function ProblemsPanel({ problems, onGo, onFix }: Props) {
  if (problems.length === 0) return null;
  return (
    <section aria-label="Problems" className="shrink-0 border-t bg-sunken">
      <h2 className="flex items-center gap-2 px-3 py-1 text-xs font-semibold text-ink-soft">
        {problemWords(problems)}
      </h2>
      <ul className="max-h-36 overflow-y-auto pb-1">
        {problems.map((problem, index) => (
          <ProblemRow key={index} problem={problem} onGo={onGo} onFix={onFix} />
        ))}
      </ul>
    </section>
  );
}

function ProblemRow({
  problem,
  onGo,
  onFix,
}: { problem: EditorProblem } & Pick<Props, "onGo" | "onFix">) {
  return (
    <li className="flex items-start hover:bg-hover">
      <button
        type="button"
        onClick={() => onGo(problem)}
        className="flex min-h-7 min-w-0 flex-1 items-start gap-2 px-3 py-1 text-left text-[13px] focus-visible:-outline-offset-2 max-sm:min-h-11"
      >
        <SeverityIcon severity={problem.severity} />{" "}
        <span className="w-14 shrink-0 text-ink-soft tabular-nums">line {problem.line}</span>{" "}
        <span className="min-w-0 break-words">{problem.message}</span>
      </button>
      {problem.suggestion !== undefined && (
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

function SeverityIcon({ severity }: { severity: EditorProblem["severity"] }) {
  const error = severity === "error";
  const Icon = error ? CircleAlert : TriangleAlert;
  return (
    <>
      <Icon aria-hidden className={`mt-0.5 size-4 shrink-0 ${error ? "text-err" : "text-warn"}`} />
      <span className="sr-only">{error ? "Error" : "Warning"}</span>
    </>
  );
}

/** `2 problems, 1 warning`, or `Valid`. */
export function problemWords(problems: EditorProblem[]): string {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = problems.length - errors;
  const parts = [
    ...(errors ? [pluralize(errors, "problem")] : []),
    ...(warnings ? [pluralize(warnings, "warning")] : []),
  ];
  return parts.join(", ") || "Valid";
}

/** The verdict beside the title. */
export function Verdict({ problems, judged }: { problems: EditorProblem[]; judged: boolean }) {
  const errors = problems.some((problem) => problem.severity === "error");
  const Icon = errors ? CircleAlert : problems.length > 0 ? TriangleAlert : CircleCheck;
  const colour = errors ? "text-err" : problems.length > 0 ? "text-warn" : "text-ok";
  const words =
    errors || problems.length === 0 ? problemWords(problems) : `Valid, ${problemWords(problems)}`;
  return (
    <span role="status" className={`inline-flex items-center gap-1 text-xs font-medium ${colour}`}>
      <Icon aria-hidden className="size-3.5" />
      {words}
      {!judged && <span className="font-normal text-ink-faint"> · checking…</span>}
    </span>
  );
}
