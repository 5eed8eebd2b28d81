import { ApiProblem, describeError } from "@/lib/api/problem";

/** Why a sign-in did not succeed, in the way the form shows it. */
export type SignInError =
  | { kind: "wrong-key" }
  | { kind: "too-many"; until: number }
  | { kind: "other"; title: string; detail: string; requestId: string | null };

const USUAL_WAIT_SECONDS = 60;

export function toSignInError(error: unknown, now: number = Date.now()): SignInError {
  if (error instanceof ApiProblem && error.status === 401) return { kind: "wrong-key" };
  if (error instanceof ApiProblem && error.status === 429) {
    const seconds = error.retryAfterSeconds ?? USUAL_WAIT_SECONDS;
    return { kind: "too-many", until: now + seconds * 1000 };
  }
  return { kind: "other", ...describeError(error) };
}
