export type ToolArguments = Record<string, unknown>;

export function formatArguments(value: ToolArguments): string {
  return JSON.stringify(value, null, 2);
}

/** Reads edited arguments: a JSON object, or why it is none. */
export function parseArguments(text: string): { value: ToolArguments | null; error?: string } {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return { value: value as ToolArguments };
    }
    return { value: null, error: 'Write a JSON object, such as {"name": "value"}.' };
  } catch (error) {
    return { value: null, error: `This is not JSON: ${(error as Error).message}` };
  }
}

export interface ArgumentChange {
  name: string;
  /** As JSON; null: there was none. */
  before: string | null;
  /** As JSON; null: removed. */
  after: string | null;
}

/** The arguments that differ, in the order of their names. */
export function listChanges(before: ToolArguments, after: ToolArguments): ArgumentChange[] {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].toSorted();
  return names
    .map((name) => ({
      name,
      before: name in before ? JSON.stringify(before[name]) : null,
      after: name in after ? JSON.stringify(after[name]) : null,
    }))
    .filter((change) => change.before !== change.after);
}
