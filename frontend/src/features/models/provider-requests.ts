/** API requests for providers and models. */
import { queryOptions, skipToken, type QueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { ConnectionReport, Model, Provider } from "@/lib/api/types";
import { modelKeys, providerKeys } from "@/lib/queries/models";

type Schemas = components["schemas"];

/** The report of a connection test and its time. */
export interface ConnectionTest {
  report: ConnectionReport;
  at: string;
}

/** The last test of a provider since the page was loaded; never fetched. */
export const lastTestQuery = (providerId: string) =>
  queryOptions<ConnectionTest>({
    queryKey: ["connection-tests", providerId],
    queryFn: skipToken,
    staleTime: Infinity,
    gcTime: Infinity,
  });

export function storeConnectionTest(
  client: QueryClient,
  providerId: string,
  toConnectionTest: ConnectionTest | null,
): void {
  const { queryKey } = lastTestQuery(providerId);
  if (toConnectionTest) client.setQueryData(queryKey, toConnectionTest);
  else client.removeQueries({ queryKey });
}

/** The models the provider lists now; calls the provider, so only used in the model form. */
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

/** Ollama's default URL on the server's machine. */
export const LOCAL_OLLAMA_URL = "http://127.0.0.1:11434";

/** Tests once whether Ollama runs on the server's machine. */
export const localOllamaQuery = () =>
  queryOptions({
    queryKey: ["ollama-here"],
    queryFn: ({ signal }) =>
      testProviderValues({ type: "ollama", name: "Ollama", baseUrl: LOCAL_OLLAMA_URL }, signal),
    staleTime: Infinity,
    gcTime: Infinity,
    retry: false,
  });

export async function testProviderValues(
  provider: Schemas["ProviderTest"],
  signal?: AbortSignal,
): Promise<ConnectionTest> {
  const answer = await api.POST("/api/v1/providers/test", { body: { provider }, signal });
  return tested(body(answer));
}

export async function testProvider(providerId: string): Promise<ConnectionTest> {
  const answer = await api.POST("/api/v1/providers/{provider_id}/test", {
    params: { path: { provider_id: providerId } },
  });
  return tested(body(answer));
}

function tested(report: ConnectionReport): ConnectionTest {
  return { report, at: new Date().toISOString() };
}

export async function createProvider(provider: Schemas["ProviderCreate"]): Promise<Provider> {
  return body(await api.POST("/api/v1/providers", { body: { provider } })).provider;
}

export async function updateProvider(
  base: Provider,
  provider: Schemas["ProviderUpdate"],
): Promise<Provider> {
  const params = { path: { provider_id: base.id }, header: ifMatchHeader(base) };
  return body(await api.PATCH("/api/v1/providers/{provider_id}", { params, body: { provider } }));
}

export async function loadProvider(id: string): Promise<Provider> {
  const params = { path: { provider_id: id } };
  return body(await api.GET("/api/v1/providers/{provider_id}", { params }));
}

export async function deleteProvider(provider: Provider, force: boolean): Promise<void> {
  const query = force ? { force } : {};
  const params = { path: { provider_id: provider.id }, header: ifMatchHeader(provider), query };
  await api.DELETE("/api/v1/providers/{provider_id}", { params });
}

export async function createModel(model: Schemas["ModelCreate"]): Promise<Model> {
  return body(await api.POST("/api/v1/models", { body: { model } })).model;
}

export async function updateModel(base: Model, model: Schemas["ModelUpdate"]): Promise<Model> {
  const params = { path: { model_id: base.id }, header: ifMatchHeader(base) };
  return body(await api.PATCH("/api/v1/models/{model_id}", { params, body: { model } }));
}

export async function loadModel(id: string): Promise<Model> {
  return body(await api.GET("/api/v1/models/{model_id}", { params: { path: { model_id: id } } }));
}

export async function deleteModel(model: Model): Promise<void> {
  const params = { path: { model_id: model.id }, header: ifMatchHeader(model) };
  await api.DELETE("/api/v1/models/{model_id}", { params });
}

/** Refetches providers and models after a change. */
export async function refreshCatalog(client: QueryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: providerKeys.all }),
    client.invalidateQueries({ queryKey: modelKeys.all }),
  ]);
}

function ifMatchHeader({ version }: { version: number }) {
  return { "if-match": `"${version}"` };
}
