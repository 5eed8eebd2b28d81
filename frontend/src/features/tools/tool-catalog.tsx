import { Play, Search } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { ToolSummary } from "@/components/tool-summary";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Input } from "@/components/ui/input";
import type { Tool } from "@/lib/api/types";
import { findTools } from "@/lib/find-tools";

interface Props {
  tools: Tool[];
  /** Adds the connection that a tool needs, by its purpose. */
  onConnect: (purpose: string) => void;
  onTry: (tool: Tool) => void;
}

/** Every tool that workflows may name. */
export function ToolCatalog({ tools, onConnect, onTry }: Props) {
  const [text, setText] = useState("");
  const found = findTools(tools, text);
  return (
    <Card
      title="Catalog"
      actions={
        <div role="search" className="relative">
          <Search
            aria-hidden
            className="pointer-events-none absolute top-1/2 left-2.5 size-4 -translate-y-1/2 text-ink-faint"
          />
          <Input
            type="search"
            aria-label="Search tools"
            placeholder="Search tools"
            className="pl-8"
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        </div>
      }
    >
      {found.length === 0 && <p className="px-4 py-6 text-ink-soft">No tool matches “{text}”.</p>}
      <ul aria-label="Tools" className="divide-y divide-line">
        {found.map((tool) => (
          <li key={tool.name} className="flex flex-wrap items-start gap-x-3 gap-y-2 px-4 py-3">
            <div className="min-w-0 flex-1 basis-72">
              <ToolSummary tool={tool} />
            </div>
            <ToolActions tool={tool} onConnect={onConnect} onTry={() => onTry(tool)} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

interface ActionProps {
  tool: Tool;
  onConnect: (purpose: string) => void;
  onTry: () => void;
}

function ToolActions({ tool, onConnect, onTry }: ActionProps) {
  const purpose = neededPurpose(tool);
  if (purpose) {
    return (
      <Allowed scope="connections:write">
        <Button size="sm" onClick={() => onConnect(purpose)}>
          <span>
            Add a connection<span className="sr-only"> for {tool.title}</span>
          </span>
        </Button>
      </Allowed>
    );
  }
  if (tool.problem) return null;
  return (
    <Allowed scope="tools:try">
      <Button size="sm" onClick={onTry}>
        <Play aria-hidden />
        <span>
          Try<span className="sr-only"> {tool.title}</span>
        </span>
      </Button>
    </Allowed>
  );
}

/** What kind of connection a tool needs before it can be used, such as `search`. */
function neededPurpose({ problem }: Tool): string | null {
  if (problem?.code !== "connection-missing") return null;
  return /[?&]add=(\w+)/.exec(problem.remedy ?? "")?.[1] ?? null;
}
