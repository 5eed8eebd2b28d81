import { api, body } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { ApiPreview, HttpApi } from "@/lib/api/types";

type Source = components["schemas"]["ApiDocumentSource"];
type ApiCreate = components["schemas"]["ApiCreate"];

/** A text is an address if it is one line that begins as one, else the document itself. */
export function readSource(text: string): Source {
  const trimmed = text.trim();
  return /^https?:\/\/\S+$/.test(trimmed) ? { url: trimmed } : { document: text };
}

export async function previewApi(source: Source): Promise<ApiPreview> {
  return body(await api.POST("/api/v1/apis/preview", { body: source }));
}

export async function createApi(request: ApiCreate): Promise<HttpApi> {
  return body(await api.POST("/api/v1/apis", { body: request })).api;
}

export async function deleteApi({ id, version }: HttpApi): Promise<void> {
  await api.DELETE("/api/v1/apis/{api_id}", {
    params: { path: { api_id: id }, header: { "if-match": `"${version}"` } },
  });
}

/** A name for the API's tools, from its title. */
export function suggestName(title: string): string {
  const name = title
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^[^a-z]+/, "")
    .slice(0, 40)
    .replace(/-+$/, "");
  return name || "api";
}
