import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState, type SetStateAction } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import type { YamlProblem } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";

import { SelectedFiles } from "./selected-files";
import { importWorkflow } from "./create-workflow";
import { DropZone } from "./drop-zone";
import { renameDocument } from "./rename-document";
import { ImportError } from "./import-error";
import { ImportResultCard } from "./import-result-card";
import { addToSource, describeMissing, readSource, type Source } from "./import-source";
import { selectLine } from "./select-line";

const EMPTY_SOURCE: Source = { kind: "document", text: "" };

/** Imports a workflow from pasted text or files. */
export function ImportPanel() {
  const [source, setSource] = useState<Source>(EMPTY_SOURCE);
  const [sourceError, setSourceError] = useState<string | null>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const importMutation = useImport();

  const [isReading, setReading] = useState(false);

  const change = (next: SetStateAction<Source>) => {
    importMutation.reset();
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
    if (!missing) importMutation.mutate(next);
  };
  const rename = async (name: string) => {
    if (source.kind === "document") {
      submit({ ...source, text: await renameDocument(source.text, name) });
    } else if (source.kind === "pair") submit({ ...source, name });
  };
  const goTo = ({ line }: YamlProblem) => text.current && selectLine(text.current, line);

  if (importMutation.data && importMutation.data.warnings.length > 0)
    return <ImportResultCard result={importMutation.data} />;
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
        <ImportError
          sourceError={sourceError}
          error={importMutation.error}
          source={source}
          onRename={(name) => void rename(name)}
          onSelect={source.kind === "document" ? goTo : undefined}
        />
      </div>
      <footer className="flex justify-end border-t px-4 py-3">
        <Button
          variant="primary"
          busy={isReading || importMutation.isPending}
          onClick={() => submit(source)}
        >
          Import
        </Button>
      </footer>
    </Card>
  );
}

/** Imports a workflow, and opens the editor unless there are warnings. */
function useImport() {
  const queryClient = useQueryClient();
  const navigate = useNavigate();
  return useMutation({
    mutationFn: importWorkflow,
    onSuccess: async ({ workflow, warnings }) => {
      await queryClient.invalidateQueries({ queryKey: workflowKeys.all, refetchType: "none" });
      if (warnings.length === 0) {
        await navigate({ to: "/workflows/$workflowId", params: { workflowId: workflow.id } });
      }
    },
  });
}
