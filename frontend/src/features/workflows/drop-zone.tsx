import { Upload } from "lucide-react";
import { useRef, useState, type DragEvent } from "react";

import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

import { ACCEPTED } from "./import-source";

/** Accepts files by drag and drop or from a file dialog. */
export function DropZone({ onFiles }: { onFiles: (files: File[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  const [isDragOver, setDragOver] = useState(false);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDragOver(false);
    onFiles([...event.dataTransfer.files]);
  };
  return (
    // The button offers the same to keyboard users.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="group"
      aria-label="Files to import"
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
      <Upload aria-hidden className="size-6 text-ink-faint" />
      <p className="max-w-md text-ink-soft">
        <span className="max-sm:hidden">Drop files here: </span>
        <span className="sm:hidden">Files: </span>a workflow document, agents.yaml and tasks.yaml,
        or a zip of a CrewAI project. Python code is never executed.
      </p>
      <Button onClick={() => input.current?.click()}>Choose files</Button>
      <input
        ref={input}
        type="file"
        multiple
        accept={ACCEPTED}
        aria-label="Choose files to import"
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          onFiles([...(event.target.files ?? [])]);
          // Lets the user select the same file again.
          event.target.value = "";
        }}
      />
    </div>
  );
}
