import { pluralize } from "@/lib/format";

/** Why a run cannot be started; null when it can. */
export function explainRunDisabled(isChanged: boolean, errorCount: number): string | null {
  if (errorCount > 0) return `Fix ${pluralize(errorCount, "error")} to run`;
  return isChanged ? "Save to run" : null;
}

/** Why the draft cannot be saved; null when it can. */
export function explainSaveDisabled(isChanged: boolean, errorCount: number): string | null {
  if (!isChanged) return "No changes to save";
  return errorCount > 0
    ? `Fix ${pluralize(errorCount, "error")} to save. The draft is kept in this browser.`
    : null;
}
