import { apiUrl } from "@/lib/api/client";
import { readProblem, ServerUnreachable } from "@/lib/api/problem";

/**
 * Asks the API whether it takes a key; throws what it answers otherwise. Not through the API client:
 * that would send the key of the session, and ask for another one when it is refused.
 */
export async function checkKey(key: string): Promise<void> {
  const response = await fetch(apiUrl("/api/v1/about"), {
    headers: { Authorization: `Bearer ${key}` },
    cache: "no-store",
  }).catch((error: unknown) => {
    throw new ServerUnreachable(error);
  });
  if (!response.ok) throw await readProblem(response);
}

/** True when a key can be sent at all: a header takes no other characters. */
export function isValidKeyFormat(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}
