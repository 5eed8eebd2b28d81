import type { FieldValues, Path, UseFormSetError } from "react-hook-form";

import { ApiProblem } from "@/lib/api/problem";

/** Problems that concern one field without naming it. */
const FIELD_OF_SLUG: Record<string, string> = {
  "provider-name-taken": "name",
  "model-name-taken": "name",
};

/**
 * Shows the errors of an API problem at their fields and focuses the first; returns whether all have one.
 * `fieldOf` translates a JSON pointer without its envelope, such as `options/region`.
 */
export function showFieldErrors<T extends FieldValues>(
  error: unknown,
  setError: UseFormSetError<T>,
  fieldOf: (pointer: string) => Path<T> | undefined,
): boolean {
  if (!(error instanceof ApiProblem)) return false;
  const placed = fieldErrors(error).map(({ pointer, detail }, index) => {
    const field = fieldOf(pointer.replace(/^\/((provider|model)\/)?/, ""));
    if (field)
      setError(
        field,
        { type: "server", message: toSentence(detail) },
        { shouldFocus: index === 0 },
      );
    return field !== undefined;
  });
  return placed.length > 0 && placed.every(Boolean);
}

function fieldErrors(problem: ApiProblem): { pointer: string; detail: string }[] {
  const field = FIELD_OF_SLUG[problem.slug];
  return field ? [{ pointer: `/${field}`, detail: problem.detail }] : problem.fields;
}

function toSentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

export function isVersionConflict(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 412;
}
