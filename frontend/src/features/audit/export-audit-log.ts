import { api } from "@/lib/api/client";
import type { AuditQuery } from "@/lib/api/types";
import { downloadFile } from "@/lib/download-file";

export type AuditExportFormat = "csv" | "jsonl";

/** Downloads the entries that match. They are fetched, because a link cannot send the API key. */
export async function exportAuditLog(filter: AuditQuery, format: AuditExportFormat): Promise<void> {
  const { data } = await api.GET("/api/v1/audit/export", {
    params: { query: { ...filter, format } },
    parseAs: "blob",
  });
  downloadFile(`audit-log.${format}`, data as unknown as Blob);
}
