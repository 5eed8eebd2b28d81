import { lazy, Suspense, useRef, useState, type SetStateAction } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import type { YamlProblem } from "@/lib/api/types";

import { SelectedFiles } from "./selected-files";
import { DropZone } from "./drop-zone";
import { renameDocument } from "./rename-document";
import { ImportError } from "./import-error";
import { ImportResultCard } from "./import-result-card";
import { addToSource, describeMissing, readSource, type Source } from "./import-source";
import { ImportReview } from "./import-review";
import { selectLine } from "./select-line";
import { useImport } from "./use-import";

// Only needed when an import would lose code.
const RunAsProject = lazy(async () => ({
  default: (await import("./run-as-project")).RunAsProject,
}));

const EMPTY_SOURCE: Source = { kind: "document", text: "" };

/** Imports a workflow from pasted text or files. */
export function ImportPanel() {
  const [source, setSource] = useState<Source>(EMPTY_SOURCE);
  const [sourceError, setSourceError] = useState<string | null>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const importing = useImport();
  const [isReading, setReading] = useState(false);

  const change = (next: SetStateAction<Source>) => {
    importing.reset();
    setSourceError(null);
    setSource(next);
  };
  const addFiles = async (files: File[]) => {
    if (files.length === 0) return;
    setReading(true);
    const read = await readSource(files).finally(() => setReading(false));
    if ("problem" in read) setSourceError(read.problem);
    // The source may have changed while the files were read.
    else change((current) => addToSource(current, read));
  };
  const submit = (next: Source) => {
    setSource(next);
    const missing = describeMissing(next);
    setSourceError(missing);
    if (!missing) importing.start(next);
  };
  const rename = async (name: string) => {
    if (source.kind === "document") {
      submit({ ...source, text: await renameDocument(source.text, name) });
    } else if (source.kind === "pair") submit({ ...source, name });
  };
  const goTo = ({ line }: YamlProblem) => text.current && selectLine(text.current, line);

  const problem = (
    <ImportError
      sourceError={sourceError}
      error={importing.error}
      source={source}
      onRename={(name) => void rename(name)}
      onSelect={source.kind === "document" ? goTo : undefined}
    />
  );
  if (importing.result) return <ImportResultCard result={importing.result} />;
  if (importing.preview)
    return (
      <ImportReview
        preview={importing.preview}
        busy={importing.isBusy}
        error={problem}
        onImport={(crews) => importing.save(source, crews)}
        onBack={importing.reset}
        projectUpload={
          source.kind === "archive" && (
            <Suspense>
              <RunAsProject file={source.file} />
            </Suspense>
          )
        }
      />
    );
  return (
    <Card>
      <div className="grid gap-4 p-4">
        <DropZone onFiles={(files) => void addFiles(files)} />
        {source.kind === "document" ? (
          <Field label="Or paste a document">
            <Textarea
              ref={text}
              spellCheck={false}
              wrap="off"
              className="min-h-64 font-mono text-[13px]"
              placeholder={"name: My workflow\nagents:\n  …"}
              value={source.text}
              onChange={(event) => change({ kind: "document", text: event.target.value })}
            />
          </Field>
        ) : (
          <SelectedFiles source={source} onChange={change} onClear={() => change(EMPTY_SOURCE)} />
        )}
        {problem}
      </div>
      <footer className="flex justify-end border-t px-4 py-3">
        <Button
          variant="primary"
          busy={isReading || importing.isBusy}
          onClick={() => submit(source)}
        >
          Import
        </Button>
      </footer>
    </Card>
  );
}
