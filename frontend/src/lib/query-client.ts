import { QueryClient } from "@tanstack/react-query";

import { ApiProblem } from "./api/problem";

const RETRIES = 2;
const LONGEST_WAIT_SECONDS = 30;

/** Creates the query cache: reads are retried after a lost connection or a busy server, not after a 4xx. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: 5_000,
        // Data may have changed while the server was unreachable.
        refetchOnReconnect: "always",
        retry: (failures, error) => failures < RETRIES && isTransient(error),
        retryDelay: (failures, error) =>
          retryAfterMs(error) ?? Math.min(1000 * 2 ** failures, 30_000),
      },
      // Offline, a mutation fails at once: it must not be sent an hour later.
      mutations: { networkMode: "always" },
    },
  });
}

function isTransient(error: Error): boolean {
  if (!(error instanceof ApiProblem)) return true;
  // After a long wait the user should see the reason instead of a spinner.
  if ((error.retryAfterSeconds ?? 0) > LONGEST_WAIT_SECONDS) return false;
  return error.status >= 500 || error.status === 429;
}

function retryAfterMs(error: Error): number | null {
  const seconds = error instanceof ApiProblem ? error.retryAfterSeconds : null;
  return seconds === null ? null : seconds * 1000;
}
