import createClient from "openapi-fetch";

import { connection } from "../connection";
import { readProblem, ServerUnreachable } from "./problem";
import type { paths } from "./schema";
import { session } from "./session";

/** The path under which the API answers here; a reverse proxy may have moved it. */
const BASE =
  document.querySelector<HTMLMetaElement>('meta[name="api-base"]')?.content.replace(/\/$/, "") ??
  "/api";

/** An address of the API on this server: `/api/v1/runs` with the prefix that is in use. */
export function apiUrl(path: string): string {
  return BASE === "/api" ? path : path.replace(/^\/api(?=\/)/, BASE);
}

/** `fetch` with the key; a refused key is asked for again, and the request is then repeated. */
export async function authorisedFetch(request: Request): Promise<Response> {
  for (;;) {
    const used = session.key;
    if (session.state === "expired") {
      // Known to be refused: every further try would count as a failed sign-in.
      await abortable(session.waitForNewKey(used), request.signal);
      continue;
    }
    const attempt = request.clone();
    if (used) attempt.headers.set("Authorization", `Bearer ${used}`);
    const response = await send(attempt);
    if (!(await isRefused(response))) return response;
    await abortable(session.waitForNewKey(used), request.signal);
  }
}

/** True when the server does not take the key: it says so, or has heard too many wrong ones from here. */
async function isRefused(response: Response): Promise<boolean> {
  if (response.status !== 429) return response.status === 401;
  return (await readProblem(response.clone())).slug === "too-many-failed-sign-ins";
}

export const api = createClient<paths>({
  baseUrl: location.origin,
  // Looked up at each call: tests replace the global one.
  fetch: (request) => authorisedFetch(moved(request)),
});

api.use({
  async onResponse({ response }) {
    if (!response.ok) throw await readProblem(response);
  },
});

/** The body of an answer that the client has found good. */
export function body<T>(answer: { data?: T }): T {
  return answer.data as T;
}

function moved(request: Request): Request {
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
