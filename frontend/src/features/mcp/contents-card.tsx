import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { api, body } from "@/lib/api/client";
import type { McpContents, McpPrompt, McpResource, McpServer } from "@/lib/api/types";
import { formatFileSize } from "@/lib/format-file-size";

import { ResourceDialog } from "./resource-dialog";

/** The resources and prompts that a server offers to people. The server is contacted on request. */
export function ContentsCard({ server }: { server: McpServer }) {
  const list = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/mcp/servers/{mcp_server_id}/contents", {
          params: { path: { mcp_server_id: server.id } },
        }),
      ),
    gcTime: 0,
  });
  const [shown, setShown] = useState<McpResource | null>(null);
  const show = (
    <Button size="sm" busy={list.isPending} onClick={() => list.mutate()}>
      {list.data ? "Reload" : "Show"}
    </Button>
  );
  return (
    <Allowed scope="tools:try">
      <Card title="Resources and prompts" actions={show}>
        {list.isError ? (
          <ErrorPanel error={list.error} className="m-4" />
        ) : list.data ? (
          <Contents contents={list.data} onShow={setShown} />
        ) : (
          <p className="p-4 text-ink-soft">
            What the server offers to people. Agents are offered its tools only.
          </p>
        )}
        {shown && (
          <ResourceDialog serverId={server.id} resource={shown} onClose={() => setShown(null)} />
        )}
      </Card>
    </Allowed>
  );
}

interface ContentsProps {
  contents: McpContents;
  onShow: (resource: McpResource) => void;
}

function Contents({ contents, onShow }: ContentsProps) {
  const { problem, resources = [], prompts = [] } = contents;
  if (problem) {
    return (
      <Alert tone="err" title="The server's lists could not be read" className="m-4">
        {problem}
      </Alert>
    );
  }
  if (resources.length + prompts.length === 0) {
    return <p className="p-4 text-ink-soft">The server offers neither resources nor prompts.</p>;
  }
  return (
    <>
      {resources.length > 0 && (
        <ul aria-label="Resources" className="divide-y divide-line">
          {resources.map((resource) => (
            <ResourceRow key={resource.uri} resource={resource} onShow={() => onShow(resource)} />
          ))}
        </ul>
      )}
      {prompts.length > 0 && (
        <ul aria-label="Prompts" className="divide-y divide-line border-t border-line">
          {prompts.map((prompt) => (
            <PromptRow key={prompt.name} prompt={prompt} />
          ))}
        </ul>
      )}
    </>
  );
}

function ResourceRow({ resource, onShow }: { resource: McpResource; onShow: () => void }) {
  const { uri, name, description, mimeType, size } = resource;
  const facts = [mimeType, size == null ? null : formatFileSize(size)].filter(Boolean).join(", ");
  return (
    <li className="flex flex-wrap items-start gap-x-3 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-56">
        <p className="font-medium break-words">{name}</p>
        <p className="font-mono text-xs break-all text-ink-faint">{uri}</p>
        {facts && <p className="text-xs text-ink-soft">{facts}</p>}
        {description && <p className="break-words text-ink-soft">{description}</p>}
      </div>
      <Button size="sm" onClick={onShow}>
        <span>
          Preview<span className="sr-only"> {name}</span>
        </span>
      </Button>
    </li>
  );
}

function PromptRow({ prompt }: { prompt: McpPrompt }) {
  const { name, title, description } = prompt;
  return (
    <li className="grid gap-1 px-4 py-3">
      <p className="font-medium break-words">
        {title} {title !== name && <code className="font-mono text-xs">{name}</code>}
      </p>
      {description && <p className="break-words text-ink-soft">{description}</p>}
      {prompt.arguments.length > 0 && (
        <p className="text-xs break-words text-ink-faint">
          Arguments:{" "}
          {prompt.arguments
            .map((one) => (one.isRequired ? `${one.name} (required)` : one.name))
            .join(", ")}
        </p>
      )}
    </li>
  );
}
