import { connection } from "../connection";
import { apiUrl } from "./client";
import { readProblem, ServerUnreachable } from "./problem";
import { session } from "./session";

interface Upload {
  /** Path of the endpoint, such as `/api/v1/projects`. */
  path: string;
  /** A zip, or a form with files. */
  body: Blob | FormData;
  headers?: Record<string, string>;
  /** Gets the part that was sent, from 0 to 1. */
  onProgress?: (part: number) => void;
  signal?: AbortSignal;
}

/**
 * Uploads a project and returns the JSON of the answer. `fetch` does not report the progress of an upload.
 * When the session is rejected, waits for a new one and sends the body again, as `authorisedFetch` does.
 * Throws ApiProblem, ServerUnreachable, AbortError.
 */
export async function uploadFile<T>(upload: Upload): Promise<T> {
  for (;;) {
    const { csrfToken } = session;
    // Sequential: each attempt waits for the session that the previous one lacked.
    // oxlint-disable-next-line no-await-in-loop
    const response = await send(upload, csrfToken);
    if (response.ok) return response.json() as Promise<T>;
    // oxlint-disable-next-line no-await-in-loop
    const problem = await readProblem(response);
    const isRejected = response.status === 401 || problem.slug === "cross-site-request";
    if (!isRejected) throw problem;
    // oxlint-disable-next-line no-await-in-loop
    await session.waitForNewSession(csrfToken);
  }
}

function send(upload: Upload, csrfToken: string | null): Promise<Response> {
  const { path, body, headers, onProgress, signal } = upload;
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => {
      request.abort();
      reject(new DOMException("The upload was cancelled.", "AbortError"));
    };
    if (signal?.aborted) {
      abort();
      return;
    }
    request.open("POST", apiUrl(path));
    for (const [name, value] of Object.entries(headers ?? {})) {
      request.setRequestHeader(name, value);
    }
    // The browser sets the type of a form, with its boundary.
    if (body instanceof Blob) request.setRequestHeader("Content-Type", "application/zip");
    if (csrfToken) request.setRequestHeader("X-CSRF-Token", csrfToken);
    request.upload.addEventListener("progress", ({ loaded, total }) =>
      onProgress?.(total > 0 ? loaded / total : 0),
    );
    request.addEventListener("load", () => {
      connection.reportResponse();
      resolve(toResponse(request));
    });
    request.addEventListener("error", () => {
      connection.reportFailure();
      reject(new ServerUnreachable(null));
    });
    signal?.addEventListener("abort", abort, { once: true });
    request.send(body);
  });
}

function toResponse(request: XMLHttpRequest): Response {
  const headers = new Headers();
  for (const name of ["content-type", "retry-after", "x-request-id"]) {
    const value = request.getResponseHeader(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(request.responseText, { status: request.status, headers });
}
