import createClient from "openapi-fetch";

import { connection } from "../connection";
import { readProblem, ServerUnreachable } from "./problem";
import type { paths } from "./schema";
import { session } from "./session";

/** The path prefix of the API; a reverse proxy may have changed it. */
const BASE =
  document.querySelector<HTMLMetaElement>('meta[name="api-base"]')?.content.replace(/\/$/, "") ??
  "/api";

/** Returns the path of an endpoint, such as `/api/v1/runs`, with the configured prefix. */
export function apiUrl(path: string): string {
  return BASE === "/api" ? path : path.replace(/^\/api(?=\/)/, BASE);
}

/** Sends a request with the API key; when the key is rejected, waits for a new one and sends it again. */
export async function authorisedFetch(request: Request): Promise<Response> {
  for (;;) {
    const { key } = session;
    if (session.state === "expired") {
      // The key is known to be rejected: another attempt would count as a failed sign-in.
      await abortable(session.waitForNewKey(key), request.signal);
      continue;
    }
    const attempt = request.clone();
    if (key) attempt.headers.set("Authorization", `Bearer ${key}`);
    const response = await send(attempt);
    if (!(await isKeyRejected(response))) return response;
    await abortable(session.waitForNewKey(key), request.signal);
  }
}

/** True for 401, and for 429 when there were too many sign-ins with a wrong key from this address. */
async function isKeyRejected(response: Response): Promise<boolean> {
  if (response.status !== 429) return response.status === 401;
  return (await readProblem(response.clone())).slug === "too-many-failed-sign-ins";
}

export const api = createClient<paths>({
  baseUrl: location.origin,
  // openapi-fetch keeps the `fetch` it is given; tests replace the global one later.
  fetch: (request) => authorisedFetch(withPrefix(request)),
});

api.use({
  async onResponse({ response }) {
    if (!response.ok) throw await readProblem(response);
  },
});

/** Returns the body of a successful response; the client throws for all others. */
export function body<T>(response: { data?: T }): T {
  return response.data as T;
}

function withPrefix(request: Request): Request {
  const url = new URL(request.url);
  const path = apiUrl(url.pathname);
  return path === url.pathname ? request : new Request(new URL(path + url.search, url), request);
}

async function send(request: Request): Promise<Response> {
  try {
    const response = await fetch(request);
    connection.reportResponse();
    return response;
  } catch (error) {
    if (request.signal.aborted) throw error;
    connection.reportFailure();
    throw new ServerUnreachable(error);
  }
}

function abortable(promise: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason as Error), { once: true });
    promise.then(resolve, reject);
  });
}
