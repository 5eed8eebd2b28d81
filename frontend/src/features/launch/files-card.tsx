import { X } from "lucide-react";
import { useState } from "react";

import { FileDrop } from "@/components/file-drop";
import { Card } from "@/components/ui/card";
import { IconButton } from "@/components/ui/icon-button";
import { formatFileSize } from "@/lib/format-file-size";

import { addFiles } from "./run-files";

interface Props {
  files: readonly File[];
  onFiles: (files: File[]) => void;
}

/** The files that the tools of the run can read. */
export function FilesCard({ files, onFiles }: Props) {
  const [problem, setProblem] = useState<string | null>(null);
  const add = (added: File[]) => {
    const result = addFiles(files, added);
    setProblem("problem" in result ? result.problem : null);
    if ("files" in result) onFiles(result.files);
  };
  return (
    <Card title="Files">
      <div className="grid gap-3 p-4">
        <FileDrop label="Attach files" onFiles={add}>
          The agents can read them with their tools. Up to 20 files of 10 MiB.
        </FileDrop>
        {problem && (
          <p role="alert" className="text-err">
            {problem}
          </p>
        )}
        {files.length > 0 && (
          <ul aria-label="Attached files" className="divide-y divide-line rounded-md border">
            {files.map((file) => (
              <li key={file.name} className="flex items-center gap-2 px-3 py-1">
                <span className="min-w-0 flex-1 truncate" title={file.name}>
                  {file.name}
                </span>
                <span className="text-xs text-ink-soft">{formatFileSize(file.size)}</span>
                <IconButton
                  label={`Remove ${file.name}`}
                  onClick={() => onFiles(files.filter((one) => one !== file))}
                >
                  <X aria-hidden />
                </IconButton>
              </li>
            ))}
          </ul>
        )}
      </div>
    </Card>
  );
}
