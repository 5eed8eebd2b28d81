import { ChevronRight, Folder as FolderIcon } from "lucide-react";
import { useState } from "react";

import { Button } from "@/components/ui/button";
import type { Artifact } from "@/lib/api/types";
import { cn } from "@/lib/cn";
import { listItems, type Folder } from "@/lib/file-tree";
import { pluralize } from "@/lib/format";

import { ArtifactRow } from "./artifact-row";
import { formatFileSize } from "@/lib/format-file-size";

/** How many entries of a folder are shown at once, and up to how many files folders are open. */
export const MAX_SHOWN = 20;

interface Props {
  runId: string;
  folder: Folder<Artifact>;
}

/** The folders and files in a folder; of many the first ones, until more are asked for. */
export function ArtifactFolder({ runId, folder }: Props) {
  const [shown, setShown] = useState(MAX_SHOWN);
  const folders = folder.folders.slice(0, shown);
  const files = folder.files.slice(0, shown - folders.length);
  const hidden = folder.folders.length + folder.files.length - folders.length - files.length;
  return (
    <>
      <ul className="divide-y">
        {folders.map((child) => (
          <Subfolder key={child.path} runId={runId} folder={child} />
        ))}
        {files.map(({ name, path, item }) => (
          <ArtifactRow key={path} runId={runId} name={name} file={item} />
        ))}
      </ul>
      {hidden > 0 && (
        <div className="border-t px-4 py-2">
          <Button size="sm" onClick={() => setShown(shown + MAX_SHOWN)}>
            Show {Math.min(hidden, MAX_SHOWN)} more{" "}
            <span className="sr-only">of {folder.path || "all files"}</span>
          </Button>
        </div>
      )}
    </>
  );
}

function Subfolder({ runId, folder: top }: Props) {
  const { name, folder } = skipLevels(top);
  const files = listItems(folder);
  const [isOpen, setOpen] = useState(files.length <= MAX_SHOWN);
  return (
    <li>
      <button
        type="button"
        aria-expanded={isOpen}
        onClick={() => setOpen(!isOpen)}
        className="flex min-h-11 w-full items-center gap-2 px-4 py-1.5 text-left hover:bg-hover focus-visible:-outline-offset-2"
      >
        <ChevronRight
          aria-hidden
          className={cn("size-4 shrink-0 text-ink-faint", isOpen && "rotate-90")}
        />
        <FolderIcon aria-hidden className="size-4 shrink-0 text-ink-faint" />
        <span className="min-w-0 flex-1 font-medium break-words">{name}</span>
        <span className="text-xs text-ink-soft">
          {pluralize(files.length, "file")} ·{" "}
          {formatFileSize(files.reduce((sum, file) => sum + file.size, 0))}
        </span>
      </button>
      {isOpen && (
        <div className="border-t pl-6 max-sm:pl-3">
          <ArtifactFolder runId={runId} folder={folder} />
        </div>
      )}
    </li>
  );
}

/** Returns the first folder below that has more than one folder in it, and its name from here. */
function skipLevels(top: Folder<Artifact>): { name: string; folder: Folder<Artifact> } {
  let [name, folder] = [top.name, top];
  for (;;) {
    const [only, ...others] = folder.folders;
    if (!only || others.length > 0 || folder.files.length > 0) return { name, folder };
    [name, folder] = [`${name}/${only.name}`, only];
  }
}
