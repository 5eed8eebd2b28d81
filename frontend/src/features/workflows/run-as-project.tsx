import { FolderCode } from "lucide-react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { useUploadProject } from "@/hooks/use-upload-project";

/** Uploads the zip of an import as a project, which keeps its code, and opens the project. */
export function RunAsProject({ file }: { file: File }) {
  const { upload } = useUploadProject();
  return (
    <>
      <Button
        size="sm"
        variant="primary"
        busy={upload.isPending}
        onClick={() => upload.mutate([{ path: file.name, file }])}
      >
        {!upload.isPending && <FolderCode aria-hidden />}
        Run it as a project
      </Button>
      {upload.error && <ErrorPanel error={upload.error} />}
    </>
  );
}
