import { queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";

export const providerKeys = { all: ["providers"] as const };
export const modelKeys = { all: ["models"] as const };

/** All providers: one page of 200 is enough. */
export const providersQuery = () =>
  queryOptions({
    queryKey: providerKeys.all,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/providers", { params: { query: { limit: 200 } }, signal }))
        .providers,
  });

export const modelsQuery = () =>
  queryOptions({
    queryKey: modelKeys.all,
    queryFn: async ({ signal }) =>
      body(await api.GET("/api/v1/models", { params: { query: { limit: 200 } }, signal })).models,
  });
