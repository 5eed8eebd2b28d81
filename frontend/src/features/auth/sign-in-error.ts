import { ApiProblem, describeError } from "@/lib/api/problem";

/** A failed sign-in, as the form shows it. */
export type SignInError =
  | { kind: "invalid-key" }
  | { kind: "too-many-attempts"; until: number }
  | { kind: "other"; title: string; detail: string; requestId: string | null };

const DEFAULT_WAIT_SECONDS = 60;

export function toSignInError(error: unknown, now: number = Date.now()): SignInError {
  if (error instanceof ApiProblem && error.status === 401) return { kind: "invalid-key" };
  if (error instanceof ApiProblem && error.status === 429) {
    const seconds = error.retryAfterSeconds ?? DEFAULT_WAIT_SECONDS;
    return { kind: "too-many-attempts", until: now + seconds * 1000 };
  }
  return { kind: "other", ...describeError(error) };
}
