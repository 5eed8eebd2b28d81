/** Returns the token in the fragment of a one-time link; browsers send fragments to no server. */
export function readLinkToken(): string {
  return location.hash.slice(1);
}
