import { CircleAlert, CircleCheck, CircleDashed, TriangleAlert } from "lucide-react";

import { pluralize } from "@/lib/format";

import type { EditorProblem } from "../model/problems";
import type { Validation } from "../model/use-validation";

/** The result of the validation in a few words. */
export function ValidationBadge({ problems, status }: Pick<Validation, "problems" | "status">) {
  const { Icon, colour, label } = describeValidation({ problems, status });
  return (
    <span role="status" className={`inline-flex items-center gap-1 text-xs font-medium ${colour}`}>
      <Icon aria-hidden className="size-3.5" />
      {label}
      {status === "checking" && problems.length > 0 && (
        <span className="font-normal text-ink-faint"> · checking…</span>
      )}
    </span>
  );
}

function describeValidation({ problems, status }: Pick<Validation, "problems" | "status">) {
  if (problems.some((problem) => problem.severity === "error")) {
    return { Icon: CircleAlert, colour: "text-err", label: countProblems(problems) };
  }
  if (status === "unavailable") {
    return { Icon: TriangleAlert, colour: "text-warn", label: "Only the syntax was checked" };
  }
  if (problems.length > 0) {
    return {
      Icon: TriangleAlert,
      colour: "text-warn",
      label: `Valid, ${countProblems(problems)}`,
    };
  }
  return status === "checked"
    ? { Icon: CircleCheck, colour: "text-ok", label: "Valid" }
    : { Icon: CircleDashed, colour: "text-ink-faint", label: "Checking…" };
}

/** `2 errors, 1 warning`. */
export function countProblems(problems: EditorProblem[]): string {
  const errors = problems.filter((problem) => problem.severity === "error").length;
  const warnings = problems.length - errors;
  const parts = [
    ...(errors ? [pluralize(errors, "error")] : []),
    ...(warnings ? [pluralize(warnings, "warning")] : []),
  ];
  return parts.join(", ");
}
