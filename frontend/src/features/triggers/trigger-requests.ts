import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { Trigger } from "@/lib/api/types";

type TriggerCreate = components["schemas"]["TriggerCreate"];
type TriggerUpdate = components["schemas"]["TriggerUpdate"];

export const triggerKeys = { all: ["triggers"] as const };

export const triggersQuery = () =>
  queryOptions({
    queryKey: triggerKeys.all,
    queryFn: async ({ signal }) => body(await api.GET("/api/v1/triggers", { signal })).triggers,
  });

/** The deliveries of a trigger, newest first, in pages. */
export const deliveriesQuery = (id: string) =>
  infiniteQueryOptions({
    queryKey: [...triggerKeys.all, id, "deliveries"],
    queryFn: async ({ signal, pageParam }) => {
      const query = { limit: 20, ...(pageParam ? { cursor: pageParam } : {}) };
      const params = { path: { trigger_id: id }, query };
      return body(await api.GET("/api/v1/triggers/{trigger_id}/deliveries", { params, signal }));
    },
    initialPageParam: "",
    getNextPageParam: (page) => page.nextCursor ?? undefined,
    refetchInterval: 10_000,
  });

export const deliveryQuery = (triggerId: string, id: string) =>
  queryOptions({
    queryKey: [...triggerKeys.all, triggerId, "deliveries", id],
    queryFn: async ({ signal }) => {
      const params = { path: { trigger_id: triggerId, trigger_delivery_id: id } };
      return body(
        await api.GET("/api/v1/triggers/{trigger_id}/deliveries/{trigger_delivery_id}", {
          params,
          signal,
        }),
      );
    },
  });

/** What the last received body becomes with these pointers. */
export const previewQuery = (id: string, inputs: Record<string, string>) =>
  queryOptions({
    queryKey: [...triggerKeys.all, id, "preview", inputs],
    queryFn: async ({ signal }) => {
      const params = { path: { trigger_id: id } };
      return body(
        await api.POST("/api/v1/triggers/{trigger_id}/preview", {
          params,
          body: { inputs },
          signal,
        }),
      );
    },
  });

export async function createTrigger(request: TriggerCreate) {
  return body(await api.POST("/api/v1/triggers", { body: { trigger: request } }));
}

export async function updateTrigger(trigger: Trigger, request: TriggerUpdate): Promise<Trigger> {
  return body(
    await api.PATCH("/api/v1/triggers/{trigger_id}", {
      params: overVersion(trigger),
      body: { trigger: request },
    }),
  );
}

export async function rotateTrigger(trigger: Trigger) {
  return body(
    await api.POST("/api/v1/triggers/{trigger_id}/rotate", { params: overVersion(trigger) }),
  );
}

export async function deleteTrigger(trigger: Trigger): Promise<void> {
  await api.DELETE("/api/v1/triggers/{trigger_id}", { params: overVersion(trigger) });
}

export async function replayDelivery(triggerId: string, id: string) {
  const params = { path: { trigger_id: triggerId, trigger_delivery_id: id } };
  return body(
    await api.POST("/api/v1/triggers/{trigger_id}/deliveries/{trigger_delivery_id}/replay", {
      params,
    }),
  );
}

function overVersion({ id, version }: Trigger) {
  return { path: { trigger_id: id }, header: { "if-match": `"${version}"` } };
}
