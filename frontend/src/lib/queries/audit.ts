import { infiniteQueryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { AuditQuery } from "@/lib/api/types";

/** Entries of the audit log, newest first, in pages. */
export const auditQuery = (filter: AuditQuery) =>
  infiniteQueryOptions({
    queryKey: ["audit", filter],
    queryFn: async ({ signal, pageParam }) => {
      const query = { ...filter, ...(pageParam ? { cursor: pageParam } : {}) };
      return body(await api.GET("/api/v1/audit", { params: { query }, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
  });
