import { api } from "@/lib/api/client";
import { downloadFile } from "@/lib/download-file";

/** Downloads a workflow. A link cannot send the API key, so the file is fetched. */
export async function exportWorkflow(id: string, format: "yaml" | "crewai"): Promise<void> {
  const { data, response } = await api.GET("/api/v1/workflows/{workflow_id}/export", {
    params: { path: { workflow_id: id }, query: { format } },
    parseAs: "blob",
  });
  const fallback = format === "yaml" ? "workflow.yaml" : "workflow.zip";
  const name = readFileName(response.headers.get("content-disposition")) ?? fallback;
  downloadFile(name, data as unknown as Blob);
}

/** The file name in a `Content-Disposition` header. */
export function readFileName(disposition: string | null): string | undefined {
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(disposition ?? "")?.[1];
  if (encoded) return decodeURIComponent(encoded);
  return /filename="([^"]+)"/.exec(disposition ?? "")?.[1];
}
