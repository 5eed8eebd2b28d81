/** What the API refuses, brought to the fields of a form. */
import type { FieldValues, Path, UseFormSetError } from "react-hook-form";

import { ApiProblem } from "@/lib/api/problem";

/** Slugs of refusals that are about one field, though they name none. */
const FIELD_OF_SLUG: Record<string, string> = {
  "provider-name-taken": "name",
  "model-name-taken": "name",
};

/**
 * Puts each refusal at its field and the focus to the first; the answer tells whether all found one.
 * `fieldOf` translates a JSON pointer without its envelope, such as `options/region`.
 */
export function placeProblem<T extends FieldValues>(
  error: unknown,
  setError: UseFormSetError<T>,
  fieldOf: (pointer: string) => Path<T> | undefined,
): boolean {
  if (!(error instanceof ApiProblem)) return false;
  const placed = refusalsIn(error).map(({ pointer, detail }, index) => {
    const field = fieldOf(pointer.replace(/^\/((provider|model)\/)?/, ""));
    if (field)
      setError(field, { type: "server", message: sentence(detail) }, { shouldFocus: index === 0 });
    return field !== undefined;
  });
  return placed.length > 0 && placed.every(Boolean);
}

function refusalsIn(problem: ApiProblem): { pointer: string; detail: string }[] {
  const field = FIELD_OF_SLUG[problem.slug];
  return field ? [{ pointer: `/${field}`, detail: problem.detail }] : problem.fields;
}

function sentence(text: string): string {
  const first = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(first) ? first : `${first}.`;
}

export function isStale(error: unknown): boolean {
  return error instanceof ApiProblem && error.status === 412;
}
