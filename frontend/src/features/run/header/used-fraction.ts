/** How much of a limit is used, from 0 to 1; null when either is not known. */
export function shareOf(
  used: number | string | null | undefined,
  limit: number | string | null | undefined,
): number | null {
  if (used == null || limit == null || !(Number(limit) > 0)) return null;
  return Math.min(Math.max(Number(used) / Number(limit), 0), 1);
}
