import { api } from "./api/client";
import type { WorkflowSummary } from "./api/types";
import { downloadFile } from "./download-file";

export type ExportFormat = "yaml" | "crewai";

const EXTENSIONS: Record<ExportFormat, string> = { yaml: ".yaml", crewai: ".zip" };

/** Downloads a workflow. It is fetched, because a link cannot send the API key. */
export async function downloadWorkflow(
  { id, name }: Pick<WorkflowSummary, "id" | "name">,
  format: ExportFormat,
): Promise<void> {
  const { data, response } = await api.GET("/api/v1/workflows/{workflow_id}/export", {
    params: { path: { workflow_id: id }, query: { format } },
    parseAs: "blob",
  });
  const fileName = readFileName(response.headers.get("content-disposition"));
  downloadFile(fileName ?? name + EXTENSIONS[format], data as unknown as Blob);
}

/** The file name in a `Content-Disposition` header, preferring the encoded one. */
export function readFileName(disposition: string | null): string | null {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  if (encoded) return decodeURIComponent(encoded);
  return /filename="([^"]+)"/i.exec(disposition ?? "")?.[1] ?? null;
}
