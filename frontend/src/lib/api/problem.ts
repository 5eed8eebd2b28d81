import type { components } from "./schema";

type ProblemBody = components["schemas"]["ProblemDetails"];

/** An error response of the API (RFC 9457), with the request's id. */
export class ApiProblem extends Error {
  override readonly name = "ApiProblem";
  readonly status: number;
  /** The stable slug of the problem's type, e.g. `run-already-finished`. */
  readonly slug: string;
  readonly title: string;
  readonly detail: string;
  readonly requestId: string | null;
  /** One entry per invalid field: a JSON pointer into the request body, and the error message. */
  readonly fields: { pointer: string; detail: string }[];
  readonly retryAfterSeconds: number | null;
  readonly extra: Record<string, unknown>;

  constructor(
    status: number,
    body: Partial<ProblemBody> & Record<string, unknown>,
    headers?: Headers,
  ) {
    const title = body.title ?? `The server returned status ${status}`;
    super(body.detail ?? title);
    this.status = status;
    this.slug = (body.type ?? "").split("/").pop() ?? "";
    this.title = title;
    this.detail = body.detail ?? "";
    this.requestId = body.requestId ?? headers?.get("x-request-id") ?? null;
    this.fields = body.errors ?? [];
    const seconds = Number(headers?.get("retry-after"));
    this.retryAfterSeconds = seconds > 0 ? seconds : null;
    this.extra = body;
  }
}

/** The server could not be reached. */
export class ServerUnreachable extends Error {
  override readonly name = "Unreachable";

  constructor(cause: unknown) {
    super(
      "The server cannot be reached. Check the connection, and that CrewAI Runner is running.",
      { cause },
    );
  }
}

/** Reads an error response; its body may come from a proxy and need not be JSON. */
export async function readProblem(response: Response): Promise<ApiProblem> {
  const text = await response.text().catch(() => "");
  try {
    const body: unknown = JSON.parse(text);
    if (body && typeof body === "object") {
      return new ApiProblem(response.status, body as Record<string, unknown>, response.headers);
    }
  } catch {
    // A proxy's error page, or an empty body.
  }
  return new ApiProblem(response.status, {}, response.headers);
}

/** Describes an error for display. */
export function describeError(error: unknown): {
  title: string;
  detail: string;
  requestId: string | null;
} {
  if (error instanceof ApiProblem) {
    const detail =
      error.detail || (error.status >= 500 ? "The server had an internal error. Try again." : "");
    return { title: error.title, detail, requestId: error.requestId };
  }
  if (error instanceof ServerUnreachable) {
    return { title: "No connection", detail: error.message, requestId: null };
  }
  const detail = error instanceof Error ? error.message : String(error);
  return { title: "Something went wrong", detail, requestId: null };
}
