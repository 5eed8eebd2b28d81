import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Select, Textarea } from "@/components/ui/input";
import type { ApiPreview, Connection } from "@/lib/api/types";
import { refreshTools } from "@/lib/queries/tools";
import { toast } from "@/lib/toast";

import { createApi, previewApi, readSource, suggestName } from "./api-requests";
import { OperationChoice } from "./operation-choice";

const FORM_ID = "api-form";

interface Props {
  connections: Connection[];
  onClose: () => void;
}

/** Adds operations of an OpenAPI document as tools: first the document, then the choice. */
export function ApiDialog({ connections, onClose }: Props) {
  const [text, setText] = useState("");
  const preview = useMutation({ mutationFn: () => previewApi(readSource(text)) });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Add an API"
      description="Operations of an OpenAPI 3 document become tools of agents."
      className="w-[min(44rem,calc(100vw-1.5rem))]"
    >
      {preview.data ? (
        <ChoiceForm {...{ preview: preview.data, text, connections, onClose }} />
      ) : (
        <form
          className="grid gap-4"
          onSubmit={(event) => {
            event.preventDefault();
            preview.mutate();
          }}
        >
          {preview.isError && <ErrorPanel error={preview.error} />}
          <Field label="Document or URL" hint="JSON or YAML." required>
            <Textarea
              required
              rows={10}
              spellCheck={false}
              className="font-mono text-[13px]"
              placeholder="https://api.example.org/openapi.json"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </Field>
          <div className="flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="primary" busy={preview.isPending}>
              Show operations
            </Button>
          </div>
        </form>
      )}
    </Dialog>
  );
}

interface ChoiceProps extends Props {
  preview: ApiPreview;
  text: string;
}

function ChoiceForm({ preview, text, connections, onClose }: ChoiceProps) {
  const client = useQueryClient();
  const [name, setName] = useState(suggestName(preview.title));
  const [baseUrl, setBaseUrl] = useState(preview.serverUrl ?? "");
  const [connectionId, setConnectionId] = useState("");
  const [chosen, setChosen] = useState<string[]>([]);
  const saving = useMutation({
    mutationFn: () =>
      createApi({
        ...readSource(text),
        name,
        operations: chosen,
        ...(connectionId ? { connectionId } : { baseUrl: baseUrl.trim() || null }),
      }),
    onSuccess: async (saved) => {
      await refreshTools(client);
      toast.success(`${saved.title} added.`);
      onClose();
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    saving.mutate();
  };
  const hosts = connections.filter(({ kind }) => kind === "http");
  return (
    <form id={FORM_ID} className="grid gap-4" onSubmit={submit}>
      <Field label="Name" hint={`Tools are named api:${name}/…`} required>
        <Input required value={name} onChange={(event) => setName(event.target.value)} />
      </Field>
      <Field label="Connection" hint="Its address, methods and credentials are used.">
        <Select value={connectionId} onChange={(event) => setConnectionId(event.target.value)}>
          <option value="">None: requests without credentials</option>
          {hosts.map(({ id, name: title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </Select>
      </Field>
      {!connectionId && (
        <Field label="Address" required>
          <Input required value={baseUrl} onChange={(event) => setBaseUrl(event.target.value)} />
        </Field>
      )}
      <OperationChoice operations={preview.operations} chosen={chosen} onChange={setChosen} />
      {saving.isError && <ErrorPanel error={saving.error} />}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Cancel</Button>
        <Button
          type="submit"
          variant="primary"
          disabled={chosen.length === 0}
          busy={saving.isPending}
        >
          Add {chosen.length} {chosen.length === 1 ? "tool" : "tools"}
        </Button>
      </div>
    </form>
  );
}
