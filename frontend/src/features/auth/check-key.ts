import { apiUrl } from "@/lib/api/client";
import { readProblem, ServerUnreachable } from "@/lib/api/problem";

/**
 * Checks an API key with a request; throws when it is rejected. The API client is not used because it
 * sends the session's key and waits for a new one when that is rejected.
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

/** True when the key has only characters that a header can carry. */
export function isValidKeyFormat(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}
