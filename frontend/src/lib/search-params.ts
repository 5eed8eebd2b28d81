/** Readers for URL search parameters: a missing or invalid value becomes undefined. */

export type RawSearch = Record<string, unknown>;

export function readText(search: RawSearch, name: string): string | undefined {
  const value = search[name];
  if (typeof value === "number") return String(value);
  return typeof value === "string" && value !== "" ? value : undefined;
}

export function readFlag(search: RawSearch, name: string): true | undefined {
  const value = search[name];
  return value === true || value === 1 || value === "1" || value === "true" ? true : undefined;
}

export function readChoice<const T extends string>(
  search: RawSearch,
  name: string,
  choices: readonly T[],
): T | undefined {
  return choices.find((choice) => choice === search[name]);
}

export function readChoices<const T extends string>(
  search: RawSearch,
  name: string,
  choices: readonly T[],
): T[] | undefined {
  const value = search[name];
  const given = Array.isArray(value) ? value : typeof value === "string" ? value.split(",") : [];
  const valid = choices.filter((choice) => given.includes(choice));
  return valid.length > 0 ? valid : undefined;
}

export function readPositiveInteger(search: RawSearch, name: string): number | undefined {
  const value = Number(search[name]);
  return search[name] !== undefined && Number.isInteger(value) && value > 0 ? value : undefined;
}
