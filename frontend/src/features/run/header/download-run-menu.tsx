import { Download, FileJson, FileText } from "lucide-react";

import { Button } from "@/components/ui/button";
import { Menu, MenuItem } from "@/components/ui/menu";
import type { Run } from "@/lib/api/types";
import { toast } from "@/lib/toast";

export function DownloadRunMenu({ run }: { run: Run }) {
  const download = async (format: "json" | "markdown") => {
    try {
      const { exportRun } = await import("./export-run");
      await exportRun(run, format);
    } catch (error) {
      toast.error(error instanceof Error ? error.message : "Download failed");
    }
  };
  return (
    <Menu
      trigger={
        <Button size="icon">
          <Download aria-hidden />
          <span className="sr-only">Download</span>
        </Button>
      }
    >
      <MenuItem onSelect={() => void download("json")}>
        <FileJson aria-hidden />
        JSON (run, tasks and usage)
      </MenuItem>
      <MenuItem onSelect={() => void download("markdown")}>
        <FileText aria-hidden />
        Markdown (inputs and outputs)
      </MenuItem>
    </Menu>
  );
}
