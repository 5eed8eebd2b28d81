import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import { ApiProblem } from "@/lib/api/problem";
import type { Readiness } from "@/lib/api/types";

export const aboutQuery = () =>
  queryOptions({
    queryKey: ["about"] as const,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/about", { signal })),
  });

/** Health of each part of the server; the 503 of a server that is not ready has the same body. */
export const readinessQuery = () =>
  queryOptions({
    queryKey: ["readiness"] as const,
    queryFn: async ({ signal }): Promise<Readiness> => {
      try {
        return body(await api.GET("/health/ready", { signal }));
      } catch (error) {
        if (error instanceof ApiProblem && "parts" in error.extra) {
          return error.extra as unknown as Readiness;
        }
        throw error;
      }
    },
  });
