/** What the page asks of the API about providers and models. */
import { queryOptions, skipToken, type QueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { ConnectionReport, Model, Provider } from "@/lib/api/types";
import { modelKeys, providerKeys } from "@/lib/queries/models";

type Schemas = components["schemas"];

/** A test's report, and when it came. */
export interface Tested {
  report: ConnectionReport;
  at: string;
}

/** The last test of a provider since the page was loaded; nothing is asked by itself. */
export const lastTestQuery = (providerId: string) =>
  queryOptions<Tested>({
    queryKey: ["connection-tests", providerId],
    queryFn: skipToken,
    staleTime: Infinity,
    gcTime: Infinity,
  });

export function rememberTest(client: QueryClient, providerId: string, tested: Tested | null): void {
  const { queryKey } = lastTestQuery(providerId);
  if (tested) client.setQueryData(queryKey, tested);
  else client.removeQueries({ queryKey });
}

/** What the provider lists now. Asks it, so only while somebody chooses a model. */
export const liveModelsQuery = (providerId: string) =>
  queryOptions({
    queryKey: ["live-models", providerId],
    queryFn: async ({ signal }) =>
      body(
        await api.GET("/api/v1/providers/{provider_id}/models", {
          params: { path: { provider_id: providerId } },
          signal,
        }),
      ).models,
    staleTime: 60_000,
    retry: false,
  });

/** Where Ollama listens unless told otherwise, seen from the server. */
export const OLLAMA_HERE = "http://127.0.0.1:11434";

/** Whether Ollama runs on the server's machine; asked once, when somebody wants to connect one. */
export const ollamaHereQuery = () =>
  queryOptions({
    queryKey: ["ollama-here"],
    queryFn: ({ signal }) =>
      testUnsaved({ type: "ollama", name: "Ollama", baseUrl: OLLAMA_HERE }, signal),
    staleTime: Infinity,
    gcTime: Infinity,
    retry: false,
  });

export async function testUnsaved(
  provider: Schemas["ProviderTest"],
  signal?: AbortSignal,
): Promise<Tested> {
  const answer = await api.POST("/api/v1/providers/test", { body: { provider }, signal });
  return tested(body(answer));
}

export async function testSaved(providerId: string): Promise<Tested> {
  const answer = await api.POST("/api/v1/providers/{provider_id}/test", {
    params: { path: { provider_id: providerId } },
  });
  return tested(body(answer));
}

function tested(report: ConnectionReport): Tested {
  return { report, at: new Date().toISOString() };
}

export async function createProvider(provider: Schemas["ProviderCreate"]): Promise<Provider> {
  return body(await api.POST("/api/v1/providers", { body: { provider } })).provider;
}

export async function updateProvider(
  base: Provider,
  provider: Schemas["ProviderUpdate"],
): Promise<Provider> {
  const params = { path: { provider_id: base.id }, header: seen(base) };
  return body(await api.PATCH("/api/v1/providers/{provider_id}", { params, body: { provider } }));
}

export async function loadProvider(id: string): Promise<Provider> {
  const params = { path: { provider_id: id } };
  return body(await api.GET("/api/v1/providers/{provider_id}", { params }));
}

export async function deleteProvider(provider: Provider, force: boolean): Promise<void> {
  const query = force ? { force } : {};
  const params = { path: { provider_id: provider.id }, header: seen(provider), query };
  await api.DELETE("/api/v1/providers/{provider_id}", { params });
}

export async function createModel(model: Schemas["ModelCreate"]): Promise<Model> {
  return body(await api.POST("/api/v1/models", { body: { model } })).model;
}

export async function updateModel(base: Model, model: Schemas["ModelUpdate"]): Promise<Model> {
  const params = { path: { model_id: base.id }, header: seen(base) };
  return body(await api.PATCH("/api/v1/models/{model_id}", { params, body: { model } }));
}

export async function loadModel(id: string): Promise<Model> {
  return body(await api.GET("/api/v1/models/{model_id}", { params: { path: { model_id: id } } }));
}

export async function deleteModel(model: Model): Promise<void> {
  const params = { path: { model_id: model.id }, header: seen(model) };
  await api.DELETE("/api/v1/models/{model_id}", { params });
}

/** Lists that a change of a provider or a model has made old. */
export async function refreshCatalog(client: QueryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: providerKeys.all }),
    client.invalidateQueries({ queryKey: modelKeys.all }),
  ]);
}

function seen({ version }: { version: number }) {
  return { "if-match": `"${version}"` };
}
