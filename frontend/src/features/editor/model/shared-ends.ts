/** Returns how many characters two texts share at the start and, without overlap, at the end. */
export function findSharedEnds(one: string, two: string): { prefix: number; suffix: number } {
  const shorter = Math.min(one.length, two.length);
  let prefix = 0;
  while (prefix < shorter && one[prefix] === two[prefix]) prefix += 1;
  let suffix = 0;
  while (suffix < shorter - prefix && one.at(-1 - suffix) === two.at(-1 - suffix)) suffix += 1;
  return { prefix, suffix };
}
