import { useQuery } from "@tanstack/react-query";
import { Search } from "lucide-react";
import { lazy, Suspense, useState, type ReactNode } from "react";
import type { UseFormRegisterReturn } from "react-hook-form";

import { Allowed } from "@/components/allowed";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Input } from "@/components/ui/input";
import type { Tool } from "@/lib/api/types";
import { findTools, listArguments } from "@/lib/find-tools";
import { connectionsQuery, toolsQuery } from "@/lib/queries/tools";
import { toast } from "@/lib/toast";

// Loaded when it is opened.
const ConnectionDialog = lazy(async () => ({
  default: (await import("@/components/connections/connection-dialog")).ConnectionDialog,
}));

const MIN_TOOLS_WITH_SEARCH = 6;

interface Props {
  label: ReactNode;
  hint?: string;
  /** The names that the document or its schema knows. */
  names: string[];
  /** Of a group of checkboxes with the names of tools as values. */
  registration: UseFormRegisterReturn;
}

/** Chooses tools by name, purpose and arguments. A connection that one needs can be added here. */
export function ToolPicker({ label, hint, names, registration }: Props) {
  // Without the catalog, such as while it loads, the names can be chosen.
  const { data: tools = [] } = useQuery(toolsQuery());
  const [text, setText] = useState("");
  const [purpose, setPurpose] = useState<string | null>(null);
  const found = new Set(findTools(tools, text).map(({ name }) => name));
  const known = new Map(tools.map((tool) => [tool.name, tool]));
  const listed = [...new Set([...tools.map(({ name }) => name), ...names])];
  const isShown = (name: string) => !text || found.has(name) || name.includes(text);
  return (
    <fieldset className="grid gap-1.5">
      <legend className="mb-1 font-medium">{label}</legend>
      {listed.length >= MIN_TOOLS_WITH_SEARCH && (
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
      )}
      <ul
        aria-label="Tools"
        className="max-h-72 divide-y divide-line overflow-y-auto rounded-md border"
      >
        {listed.map((name) => (
          // Hidden instead of left out: a checkbox that is gone would lose its tool.
          <li key={name} hidden={!isShown(name)} className="grid gap-1 px-3 py-2">
            <Checkbox
              label={<ToolLabel name={name} tool={known.get(name)} />}
              hint={known.get(name)?.description}
              value={name}
              {...registration}
            />
            <ToolDetails tool={known.get(name)} onConnect={setPurpose} />
          </li>
        ))}
      </ul>
      {!listed.some(isShown) && <p className="text-ink-soft">No tool matches “{text}”.</p>}
      {hint && <p className="text-xs text-ink-faint">{hint}</p>}
      {purpose && (
        <Suspense>
          <AddConnection purpose={purpose} onClose={() => setPurpose(null)} />
        </Suspense>
      )}
    </fieldset>
  );
}

function ToolLabel({ name, tool }: { name: string; tool: Tool | undefined }) {
  return (
    <>
      {tool?.title ?? name}
      {tool && <code className="ml-1.5 font-mono text-xs text-ink-faint">{name}</code>}
    </>
  );
}

interface DetailProps {
  tool: Tool | undefined;
  onConnect: (purpose: string) => void;
}

/** The arguments of a tool, and what is missing before it can be used. */
function ToolDetails({ tool, onConnect }: DetailProps) {
  if (!tool) return null;
  const args = listArguments(tool);
  const purpose = /[?&]add=(\w+)/.exec(tool.problem?.remedy ?? "")?.[1];
  return (
    <div className="pl-6 text-xs">
      {args.length > 0 && (
        <p className="text-ink-faint">
          Arguments:{" "}
          {args.map(({ name, type }, index) => (
            <span key={name}>
              {index > 0 && ", "}
              <code className="font-mono">{name}</code> {type}
            </span>
          ))}
        </p>
      )}
      {tool.problem && (
        <p className="text-warn">
          {tool.problem.message}{" "}
          {purpose && (
            <Allowed scope="connections:write">
              <Button variant="link" size="inline" onClick={() => onConnect(purpose)}>
                Add a connection
              </Button>
            </Allowed>
          )}
        </p>
      )}
    </div>
  );
}

function AddConnection({ purpose, onClose }: { purpose: string; onClose: () => void }) {
  const { data: connections } = useQuery(connectionsQuery());
  if (!connections) return null;
  return (
    <ConnectionDialog
      purpose={purpose}
      taken={connections.map(({ name }) => name)}
      onClose={onClose}
      onSaved={({ name }) => {
        toast.success(`${name} saved.`);
        onClose();
      }}
    />
  );
}
