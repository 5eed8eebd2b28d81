import createClient from "openapi-fetch";

import { connection } from "../connection";
import { reportRefusal } from "../rights";
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

const SAFE_METHODS = new Set(["GET", "HEAD"]);

/** Sends a request in the session; when the session is rejected, waits for a new one and sends it again. */
export async function authorisedFetch(request: Request): Promise<Response> {
  for (;;) {
    const { csrfToken } = session;
    if (session.state === "expired") {
      await abortable(session.waitForNewSession(csrfToken), request.signal);
      continue;
    }
    const attempt = request.clone();
    if (csrfToken && !SAFE_METHODS.has(attempt.method)) {
      attempt.headers.set("X-CSRF-Token", csrfToken);
    }
    const response = await send(attempt);
    if (!(await isSessionRejected(response))) return response;
    await abortable(session.waitForNewSession(csrfToken), request.signal);
  }
}

/** True for 401, and for 403 when another tab has started a session whose CSRF token is not known here. */
async function isSessionRejected(response: Response): Promise<boolean> {
  if (response.status !== 403) return response.status === 401;
  return (await readProblem(response.clone())).slug === "cross-site-request";
}

/** Signs out in every tab. The server ends the session even when this page is left meanwhile. */
export function signOut(): void {
  const { csrfToken, endsAtIssuer } = session;
  session.forget();
  if (!csrfToken) return;
  const headers = { "X-CSRF-Token": csrfToken };
  if (endsAtIssuer) {
    void signOutAtIssuer(headers);
    return;
  }
  fetch(apiUrl("/api/v1/session"), { method: "DELETE", headers, keepalive: true }).catch(() => {
    // The server is unreachable: the session ends there at its time.
  });
}

/** Ends the session, then leaves for the issuer, which ends its own and sends the browser back. */
async function signOutAtIssuer(headers: Record<string, string>): Promise<void> {
  const init = { method: "POST", headers, keepalive: true };
  const response = await fetch(apiUrl("/api/v1/me/sign-out"), init).catch(() => null);
  if (!response?.ok) return;
  const { url } = (await response.json()) as { url: string | null };
  if (url) location.assign(url);
}

export const api = createClient<paths>({
  baseUrl: location.origin,
  // openapi-fetch keeps the `fetch` it is given; tests replace the global one later.
  fetch: (request) => authorisedFetch(withPrefix(request)),
});

api.use({
  async onResponse({ response }) {
    if (response.ok) return;
    const problem = await readProblem(response);
    if (problem.slug === "scope-missing") reportRefusal();
    throw problem;
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
