import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useRef, useState } from "react";

import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import type { YamlProblem } from "@/lib/api/types";
import { workflowKeys } from "@/lib/queries/workflows";

import { ChosenFiles } from "./chosen-files";
import { importWorkflow } from "./create-workflow";
import { DropZone } from "./drop-zone";
import { renamed } from "./document-name";
import { ImportProblem } from "./import-problem";
import { ImportedCard } from "./imported-card";
import { missing, sourceOf, type Source } from "./import-source";
import { selectLine } from "./select-line";

const NOTHING: Source = { kind: "document", text: "" };

/** Takes a workflow in: pasted, dropped, or chosen. */
export function ImportPanel() {
  const [source, setSource] = useState<Source>(NOTHING);
  const [refused, setRefused] = useState<string | null>(null);
  const text = useRef<HTMLTextAreaElement>(null);
  const run = useImport();

  const change = (next: Source) => {
    run.reset();
    setRefused(null);
    setSource(next);
  };
  const take = async (files: File[]) => {
    const next = await sourceOf(files, source);
    if ("problem" in next) setRefused(next.problem);
    else change(next);
  };
  const send = (next: Source) => {
    setSource(next);
    const lacking = missing(next);
    setRefused(lacking);
    if (!lacking) run.mutate(next);
  };
  const rename = async (name: string) => {
    if (source.kind === "document") {
      send({ ...source, text: await renamed(source.text, name) });
    } else if (source.kind === "pair") send({ ...source, name });
  };
  const goTo = ({ line }: YamlProblem) => text.current && selectLine(text.current, line);

  if (run.data && run.data.warnings.length > 0) return <ImportedCard imported={run.data} />;
  return (
    <Card>
      <div className="grid gap-4 p-4">
        <DropZone onFiles={(files) => void take(files)} />
        {source.kind === "document" ? (
          <Field label="Or paste the document">
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
          <ChosenFiles source={source} onChange={change} onClear={() => change(NOTHING)} />
        )}
        <ImportProblem
          refused={refused}
          error={run.error}
          source={source}
          onRename={(name) => void rename(name)}
          onPick={source.kind === "document" ? goTo : undefined}
        />
      </div>
      <footer className="flex justify-end border-t px-4 py-3">
        <Button variant="primary" busy={run.isPending} onClick={() => send(source)}>
          Import
        </Button>
      </footer>
    </Card>
  );
}

/** Imports; without warnings it goes straight to the editor. */
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
