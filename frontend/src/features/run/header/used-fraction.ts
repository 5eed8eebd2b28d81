/** The used fraction of a limit, between 0 and 1; null if either value is unknown. */
export function usedFraction(
  used: number | string | null | undefined,
  limit: number | string | null | undefined,
): number | null {
  if (used == null || limit == null || !(Number(limit) > 0)) return null;
  return Math.min(Math.max(Number(used) / Number(limit), 0), 1);
}
