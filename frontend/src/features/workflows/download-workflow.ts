import { api } from "@/lib/api/client";
import type { WorkflowSummary } from "@/lib/api/types";

export type ExportFormat = "yaml" | "crewai";

const ENDINGS: Record<ExportFormat, string> = { yaml: ".yaml", crewai: ".zip" };

/** Saves a workflow as a file. It is fetched, not linked to: the key must not stand in an address. */
export async function downloadWorkflow(
  { id, name }: Pick<WorkflowSummary, "id" | "name">,
  format: ExportFormat,
): Promise<void> {
  const { data, response } = await api.GET("/api/v1/workflows/{workflow_id}/export", {
    params: { path: { workflow_id: id }, query: { format } },
    parseAs: "blob",
  });
  const url = URL.createObjectURL(data as Blob);
  const link = document.createElement("a");
  link.href = url;
  link.download = fileName(response.headers.get("content-disposition")) ?? name + ENDINGS[format];
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The file's name as the server gives it, preferring the one with all its letters. */
export function fileName(disposition: string | null): string | null {
  const real = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  if (real) return decodeURIComponent(real);
  return /filename="([^"]+)"/i.exec(disposition ?? "")?.[1] ?? null;
}
