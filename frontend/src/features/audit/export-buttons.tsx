import { useMutation } from "@tanstack/react-query";
import { Download } from "lucide-react";

import { Button } from "@/components/ui/button";
import { describeError } from "@/lib/api/problem";
import type { AuditQuery } from "@/lib/api/types";
import { toast } from "@/lib/toast";

import { exportAuditLog, type AuditExportFormat } from "./export-audit-log";

const FORMATS: { value: AuditExportFormat; label: string }[] = [
  { value: "csv", label: "Export CSV" },
  { value: "jsonl", label: "Export JSON lines" },
];

/** Downloads the entries that match the filters. */
export function ExportButtons({ filter }: { filter: AuditQuery }) {
  const download = useMutation({
    mutationFn: (format: AuditExportFormat) => exportAuditLog(filter, format),
    onError: (error) => toast.error(describeError(error).title),
  });
  return FORMATS.map(({ value, label }) => (
    <Button
      key={value}
      busy={download.isPending && download.variables === value}
      onClick={() => download.mutate(value)}
    >
      <Download aria-hidden />
      {label}
    </Button>
  ));
}
