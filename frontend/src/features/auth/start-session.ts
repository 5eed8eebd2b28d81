import { apiUrl } from "@/lib/api/client";
import { readProblem, ServerUnreachable } from "@/lib/api/problem";
import type { StartedSession } from "@/lib/api/session";

/**
 * Exchanges an API key for a session; throws when the key is rejected. The API client is not used because it
 * sends requests in the current session and waits for a new one when that is rejected.
 */
export async function startSession(key: string, isRemembered: boolean): Promise<StartedSession> {
  const response = await fetch(apiUrl("/api/v1/session"), {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: JSON.stringify({ remember: isRemembered }),
  }).catch((error: unknown) => {
    throw new ServerUnreachable(error);
  });
  if (!response.ok) throw await readProblem(response);
  const { csrfToken } = (await response.json()) as { csrfToken: string };
  return { csrfToken, isRemembered };
}

/** True when the key has only characters that a header can carry. */
export function isValidKeyFormat(key: string): boolean {
  return /^[\x21-\x7e]+$/.test(key);
}
