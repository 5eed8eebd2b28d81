import { FolderUp } from "lucide-react";
import { useRef, useState, type DragEvent } from "react";

import { UploadRefused, useUploadProject } from "@/hooks/use-upload-project";
import { cn } from "@/lib/cn";

import { ErrorPanel } from "./error-panel";
import { Alert } from "./ui/alert";
import { Button } from "./ui/button";

interface Props {
  /** Uploads the next version of this project; without it, a new project. */
  projectId?: string;
}

/** Uploads the zip of a project by drag and drop or from a file dialog, and opens the project. */
export function ProjectDropZone({ projectId }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [isDragOver, setDragOver] = useState(false);
  const { upload, progress } = useUploadProject(projectId);
  const send = (files: FileList | null) => {
    if (!upload.isPending && files && files.length > 0) upload.mutate([...files]);
  };
  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDragOver(false);
    send(event.dataTransfer.files);
  };
  return (
    <div className="grid gap-3">
      {/* The button offers the same to keyboard users. */}
      {/* oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <div
        role="group"
        aria-label="Upload a project"
        onDragOver={(event) => {
          event.preventDefault();
          setDragOver(true);
        }}
        onDragLeave={() => setDragOver(false)}
        onDrop={drop}
        className={cn(
          "grid justify-items-center gap-2 rounded-lg border-2 border-dashed px-4 py-6 text-center",
          isDragOver ? "border-accent bg-accent-soft" : "bg-sunken",
        )}
      >
        <FolderUp aria-hidden className="size-6 text-ink-faint" />
        <p className="max-w-md text-ink-soft">
          <span className="max-sm:hidden">
            Drop the zip of a CrewAI project here, or choose it.
          </span>
          <span className="sm:hidden">Choose the zip of a CrewAI project.</span> Up to 64 MiB,
          without installed packages.
        </p>
        <Button
          variant={projectId ? "outline" : "primary"}
          busy={upload.isPending}
          onClick={() => input.current?.click()}
        >
          Choose a zip
        </Button>
        <input
          ref={input}
          type="file"
          accept=".zip,application/zip"
          aria-label="Choose the zip of a project"
          tabIndex={-1}
          className="sr-only"
          onChange={(event) => {
            send(event.target.files);
            // Lets the user select the same file again.
            event.target.value = "";
          }}
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
