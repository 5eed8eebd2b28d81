import { Upload } from "lucide-react";
import { useRef, useState, type DragEvent, type ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { cn } from "@/lib/cn";

interface Props {
  /** What the files are for; names the group and the file dialog. */
  label: string;
  /** The ends of the names that the file dialog offers: `.md,.pdf`. */
  accept?: string;
  disabled?: boolean;
  onFiles: (files: File[]) => void;
  /** Which files can be chosen. */
  children: ReactNode;
}

/** Accepts files by drag and drop or from a file dialog. */
export function FileDrop({ label, accept, disabled, onFiles, children }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [isDragOver, setDragOver] = useState(false);

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setDragOver(false);
    const files = [...event.dataTransfer.files];
    if (!disabled && files.length > 0) onFiles(files);
  };
  return (
    // The button offers the same to keyboard users.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <div
      role="group"
      aria-label={label}
      onDragOver={(event) => {
        event.preventDefault();
        setDragOver(true);
      }}
      onDragLeave={() => setDragOver(false)}
      onDrop={drop}
      className={cn(
        "grid justify-items-center gap-2 rounded-lg border-2 border-dashed px-4 py-5 text-center",
        isDragOver ? "border-accent bg-accent-soft" : "bg-sunken",
      )}
    >
      <Upload aria-hidden className="size-6 text-ink-faint" />
      <p className="max-w-md text-ink-soft">
        <span className="max-sm:hidden">Drop files here. </span>
        {children}
      </p>
      <Button busy={disabled} onClick={() => input.current?.click()}>
        Choose files
      </Button>
      <input
        ref={input}
        type="file"
        multiple
        accept={accept}
        aria-label={label}
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          const files = [...(event.target.files ?? [])];
          if (files.length > 0) onFiles(files);
          // Lets the user select the same file again.
          event.target.value = "";
        }}
      />
    </div>
  );
}
