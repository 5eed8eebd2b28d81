export interface SecretRow {
  name: string;
  /** When the value was set; null if the code reads it and it is not set. */
  updatedAt: string | null;
  /** Whether the server sets it, such as the key of a model provider. */
  isProvided: boolean;
}

/** The set variables and those that the code reads, sorted by name. */
export function listSecretRows(
  secrets: readonly { name: string; updatedAt: string }[],
  readByCode: readonly string[],
  provided: readonly string[],
): SecretRow[] {
  const set = new Map(secrets.map(({ name, updatedAt }) => [name, updatedAt]));
  const names = [...new Set([...set.keys(), ...readByCode])].toSorted();
  return names.map((name) => ({
    name,
    updatedAt: set.get(name) ?? null,
    isProvided: provided.includes(name),
  }));
}

/** Why an environment variable may not have this name; null if it may. */
export function findNameProblem(name: string): string | null {
  if (name === "") return "Enter a name.";
  return /^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)
    ? null
    : "Use up to 128 letters, digits and underscores, without a digit at the start.";
}
