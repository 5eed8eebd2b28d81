/** How many characters two texts have in common at their start and, apart from that, at their end. */
export function findCommonEnds(one: string, two: string): { prefix: number; suffix: number } {
  const shorter = Math.min(one.length, two.length);
  let prefix = 0;
  while (prefix < shorter && one[prefix] === two[prefix]) prefix += 1;
  let suffix = 0;
  while (suffix < shorter - prefix && one.at(-1 - suffix) === two.at(-1 - suffix)) suffix += 1;
  return { prefix, suffix };
}
