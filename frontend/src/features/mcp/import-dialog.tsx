import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type SubmitEvent } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import type { McpImportEntry } from "@/lib/api/types";

import { refreshServers } from "./server-requests";

const FORM_ID = "mcp-import-form";

/** Adds the servers of a client's configuration file. */
export function ImportDialog({ onClose }: { onClose: () => void }) {
  const client = useQueryClient();
  const [text, setText] = useState("");
  const [problem, setProblem] = useState<string | null>(null);
  const add = useMutation({
    mutationFn: async (config: Record<string, never>) =>
      body(await api.POST("/api/v1/mcp/import/config", { body: { config } })).entries,
    // The configuration may have credentials.
    gcTime: 0,
    onSuccess: async () => {
      setText("");
      await refreshServers(client);
    },
  });
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const config = parseConfig(text);
    setProblem(config ? null : "This is not a JSON object.");
    if (config) add.mutate(config);
  };
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Import servers"
      description="Paste the configuration of Claude Desktop, Cline, Cursor or VS Code. Nothing is contacted, and no command is started."
      className="w-[min(40rem,calc(100vw-1.5rem))]"
      footer={
        add.data ? (
          <Button variant="primary" onClick={onClose}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" form={FORM_ID} variant="primary" busy={add.isPending}>
              Import
            </Button>
          </>
        )
      }
    >
      {add.data ? (
        <Entries entries={add.data} />
      ) : (
        <form id={FORM_ID} onSubmit={submit} className="grid gap-4">
          {add.isError && <ErrorPanel error={add.error} />}
          <Field label="Configuration (JSON)" error={problem} required>
            <Textarea
              required
              rows={10}
              spellCheck={false}
              autoComplete="off"
              className="font-mono text-[13px]"
              placeholder={'{"mcpServers": {"example": {"url": "https://example.com/mcp"}}}'}
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </Field>
        </form>
      )}
    </Dialog>
  );
}

function Entries({ entries }: { entries: McpImportEntry[] }) {
  return (
    <div role="status">
      <ul aria-label="Imported servers" className="divide-y divide-line">
        {entries.map(({ name, server, problem, note }) => (
          <li key={name} className="grid gap-1 py-2">
            <p className="flex flex-wrap items-center gap-2">
              <span className="font-medium break-all">{name}</span>
              <Badge tone={server ? "ok" : "err"}>
                {server ? `Added as ${server.name}` : "Not imported"}
              </Badge>
            </p>
            {(problem ?? note) && <p className="break-words text-ink-soft">{problem ?? note}</p>}
          </li>
        ))}
      </ul>
    </div>
  );
}

function parseConfig(text: string): Record<string, never> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, never>) : null;
  } catch {
    return null;
  }
}
