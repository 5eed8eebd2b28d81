import { QueryClient } from "@tanstack/react-query";

import { ApiProblem } from "./api/problem";

const RETRIES = 2;
const LONGEST_WAIT_SECONDS = 30;

/** The store of server data; a refusal is final, a lost connection or a busy server is tried again. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // Nobody knows what has happened meanwhile.
        refetchOnReconnect: "always",
        retry: (failures, error) => failures < RETRIES && isPassing(error),
        retryDelay: (failures, error) =>
          waitAsTold(error) ?? Math.min(1000 * 2 ** failures, 30_000),
      },
      // An action that cannot be sent says so at once; it must not happen by itself an hour later.
      mutations: { networkMode: "always" },
    },
  });
}

function isPassing(error: Error): boolean {
  if (!(error instanceof ApiProblem)) return true;
  // Who has to wait long wants to know why.
  if ((error.retryAfterSeconds ?? 0) > LONGEST_WAIT_SECONDS) return false;
  return error.status >= 500 || error.status === 429;
}

/** The wait in milliseconds that the server asks for; sooner it would only refuse again. */
function waitAsTold(error: Error): number | null {
  const seconds = error instanceof ApiProblem ? error.retryAfterSeconds : null;
  return seconds === null ? null : seconds * 1000;
}
