import { apiUrl } from "@/lib/api/client";
import { readProblem, ServerUnreachable } from "@/lib/api/problem";

/**
 * Sends a request that needs no session; throws an ApiProblem when it is refused. The API client is not used
 * because it waits for a new session when a request is rejected.
 */
export async function sendWithoutSession(
  method: "GET" | "POST",
  path: string,
  content?: object,
  headers: Record<string, string> = {},
): Promise<unknown> {
  const response = await fetch(apiUrl(path), {
    method,
    ...(content && {
      headers: { ...headers, "Content-Type": "application/json" },
      body: JSON.stringify(content),
    }),
  }).catch((error: unknown) => {
    throw new ServerUnreachable(error);
  });
  if (!response.ok) throw await readProblem(response);
  return response.status === 204 ? null : response.json();
}

/** Signs in with a request whose answer has the CSRF token of a new session. */
export async function startSessionWith(
  path: string,
  content: object,
  isRemembered: boolean,
): Promise<{ csrfToken: string; isRemembered: boolean }> {
  const { csrfToken } = (await sendWithoutSession("POST", path, content)) as { csrfToken: string };
  return { csrfToken, isRemembered };
}
