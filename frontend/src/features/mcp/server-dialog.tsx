import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { ApiProblem } from "@/lib/api/problem";
import type { McpServer } from "@/lib/api/types";
import { mcpCommandsQuery } from "@/lib/queries/mcp";

import { CredentialFields } from "./credential-fields";
import { refreshServers, saveServer, serverValues, type ServerValues } from "./server-requests";

const FORM_ID = "mcp-server-form";

interface Props {
  /** The server to edit; without it the dialog adds one. */
  server?: McpServer;
  onClose: () => void;
  onSaved: (server: McpServer) => void;
}

/** Adds or edits an MCP server. */
export function ServerDialog({ server, onClose, onSaved }: Props) {
  const client = useQueryClient();
  const [values, setValues] = useState(() => serverValues(server));
  const set = (changed: Partial<ServerValues>) => setValues((old) => ({ ...old, ...changed }));
  const save = useMutation({
    mutationFn: () => saveServer(values, server),
    // The credential is not kept with the result.
    gcTime: 0,
    onSuccess: async (saved) => {
      await refreshServers(client);
      onSaved(saved);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    save.mutate();
  };
  const commands = useQuery(mcpCommandsQuery()).data ?? [];
  const fields = fieldErrors(save.error);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={server ? `Edit ${server.name}` : "Add an MCP server"}
      description={
        server ? undefined : "A server whose tools agents may use. Nothing is contacted yet."
      }
      footer={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" form={FORM_ID} variant="primary" busy={save.isPending}>
            {server ? "Save" : "Add server"}
          </Button>
        </>
      }
    >
      <form id={FORM_ID} onSubmit={submit} className="grid gap-4">
        {save.isError && Object.keys(fields).length === 0 && <ErrorPanel error={save.error} />}
        <Field
          label="Name"
          hint="Small letters, digits and dashes. Workflows use it: mcp:name/tool."
          error={fields.name}
          required
        >
          <Input
            required
            maxLength={40}
            pattern="[a-z](?:[a-z0-9\-]*[a-z0-9])?"
            autoComplete="off"
            autoCapitalize="none"
            value={values.name}
            onChange={(event) => set({ name: event.target.value })}
          />
        </Field>
        <Field
          label="Address"
          hint={
            commands.length > 0
              ? `Or a command of this installation: ${commands.map((name) => `stdio:${name}`).join(", ")}`
              : undefined
          }
          error={fields.url}
          required
        >
          <Input
            required
            type="url"
            maxLength={2000}
            placeholder="https://example.com/mcp"
            value={values.url}
            onChange={(event) => set({ url: event.target.value })}
          />
        </Field>
        <CredentialFields server={server} values={values} errors={fields} onChange={set} />
        <Field label="Deadline of a call, in seconds" error={fields.timeoutSeconds}>
          <Input
            type="number"
            min={1}
            max={600}
            value={values.timeoutSeconds}
            onChange={(event) => set({ timeoutSeconds: event.target.valueAsNumber })}
          />
        </Field>
        <Checkbox
          label="Workflows may use its tools"
          checked={values.isEnabled}
          onChange={(event) => set({ isEnabled: event.target.checked })}
        />
      </form>
    </Dialog>
  );
}

/** Error messages by field. */
function fieldErrors(error: unknown): Record<string, string> {
  if (!(error instanceof ApiProblem)) return {};
  if (error.slug === "mcp-server-name-taken") return { name: error.detail };
  return Object.fromEntries(
    error.fields.map(({ pointer, detail }) => [pointer.replace(/^\//, ""), detail]),
  );
}
