import { FolderUp } from "lucide-react";
import { useRef, type ChangeEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { useFileDrop } from "@/hooks/use-file-drop";
import { UploadRefused, useUploadProject } from "@/hooks/use-upload-project";
import { cn } from "@/lib/cn";
import { listChosenFiles, readDroppedFiles } from "@/lib/dropped-files";

import { ProjectsNotice } from "./projects-notice";

interface Props {
  /** Uploads the next version of this project; without it, a new project. */
  projectId?: string;
}

/** Uploads a zip or a folder, dropped anywhere on the page or chosen in a dialog, and opens the project. */
export function ProjectDropZone({ projectId }: Props) {
  const zip = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { upload, progress } = useUploadProject(projectId);
  const isDragOver = useFileDrop((data) => {
    if (!upload.isPending) upload.mutate(readDroppedFiles(data));
  });
  const choose = ({ target }: ChangeEvent<HTMLInputElement>) => {
    const files = listChosenFiles(target.files);
    if (!upload.isPending && files.length > 0) upload.mutate(files);
    // Lets the user select the same files again.
    target.value = "";
  };
  return (
    <div className="grid gap-3">
      {!projectId && <ProjectsNotice />}
      <div
        role="group"
        aria-label="Upload a project"
        className={cn(
          "grid justify-items-center gap-2 rounded-lg border-2 border-dashed px-4 py-6 text-center",
          isDragOver ? "border-accent bg-accent-soft" : "bg-sunken",
        )}
      >
        <FolderUp aria-hidden className="size-6 text-ink-faint" />
        <p className="max-w-md text-ink-soft">
          <span className="max-sm:hidden">
            Drop the folder or the zip of a CrewAI project anywhere on this page.
          </span>
          <span className="sm:hidden">Choose the zip of a CrewAI project.</span> Up to 64 MiB,
          without installed packages.
        </p>
        <div className="flex flex-wrap justify-center gap-2">
          <Button
            variant={projectId ? "outline" : "primary"}
            busy={upload.isPending}
            onClick={() => zip.current?.click()}
          >
            Choose a zip
          </Button>
          {/* Phones have no folders to choose. */}
          <Button
            className="max-sm:hidden"
            disabled={upload.isPending}
            onClick={() => folder.current?.click()}
          >
            Choose a folder
          </Button>
        </div>
        <input
          ref={zip}
          type="file"
          accept=".zip,application/zip"
          aria-label="Choose the zip of a project"
          tabIndex={-1}
          className="sr-only"
          onChange={choose}
        />
        <input
          ref={folder}
          type="file"
          // The types of React lack this attribute.
          {...{ webkitdirectory: "" }}
          aria-label="Choose the folder of a project"
          tabIndex={-1}
          className="sr-only"
          onChange={choose}
        />
        {upload.isPending && <Progress part={progress} />}
      </div>
      {upload.error &&
        (upload.error instanceof UploadRefused ? (
          <Alert tone="err" title={upload.error.message} />
        ) : (
          <ErrorPanel error={upload.error} />
        ))}
    </div>
  );
}

function Progress({ part }: { part: number }) {
  const percent = Math.round(part * 100);
  return (
    <div className="grid w-full max-w-xs gap-1">
      <progress
        aria-label="Upload"
        max={100}
        value={percent}
        className="h-2 w-full accent-accent"
      />
      {/* Only the transition is announced, not each percent. */}
      <p role="status" className="text-xs text-ink-soft">
        {percent < 100 ? "Uploading…" : "Reading the files of the project…"}
      </p>
    </div>
  );
}
