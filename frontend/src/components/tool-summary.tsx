import { Badge } from "@/components/ui/badge";
import type { Tool } from "@/lib/api/types";
import { listArguments } from "@/lib/find-tools";

/** Name, purpose and arguments of a tool. */
export function ToolSummary({ tool }: { tool: Tool }) {
  const args = listArguments(tool);
  return (
    <>
      <p className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="font-medium">{tool.title}</span>
        <code className="font-mono text-xs break-all text-ink-faint">{tool.name}</code>
        {tool.effect === "write" && <Badge tone="warn">Sends or changes</Badge>}
        {tool.problem && <Badge tone="idle">Needs a connection</Badge>}
      </p>
      <p className="text-ink-soft">{tool.description}</p>
      {tool.connections.length > 0 && (
        <p className="text-xs text-ink-faint">Uses {tool.connections.join(", ")}.</p>
      )}
      {args.length > 0 && (
        <details className="text-xs text-ink-soft">
          <summary className="cursor-pointer">
            Arguments: {args.map(({ name }) => name).join(", ")}
          </summary>
          <dl className="mt-1 grid gap-1 pl-3">
            {args.map(({ name, type, description, required }) => (
              <div key={name}>
                <dt className="inline font-mono">{name}</dt>{" "}
                <dd className="inline">
                  {type}
                  {required && ", required"}
                  {description && `: ${description}`}
                </dd>
              </div>
            ))}
          </dl>
        </details>
      )}
    </>
  );
}
