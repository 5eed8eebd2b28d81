import { Badge } from "@/components/ui/badge";
import type { ImportFinding } from "@/lib/api/types";
import { pluralize } from "@/lib/format";

import { groupLosses } from "./import-summary";

/** What an import leaves out or changes, grouped by kind, each with its place in the upload. */
export function ImportLosses({
  label,
  findings,
}: {
  label: string;
  findings: readonly ImportFinding[];
}) {
  const groups = groupLosses(findings);
  if (groups.length === 0) return <p className="text-ink-soft">Nothing is left out or changed.</p>;
  return (
    <ul aria-label={label} className="grid gap-1">
      {groups.map(({ title, isCode, items }) => (
        <li key={title}>
          <details open={groups.length <= 3} className="rounded-md border px-3 py-2">
            <summary className="cursor-pointer">
              <span className="font-medium">{title}</span>{" "}
              <Badge tone={isCode ? "warn" : "idle"}>
                {pluralize(items.length, "entry", "entries")}
              </Badge>
            </summary>
            <ul className="mt-2 grid gap-2">
              {items.map((item, index) => (
                <Loss key={index} finding={item} />
              ))}
            </ul>
          </details>
        </li>
      ))}
    </ul>
  );
}

function Loss({ finding }: { finding: ImportFinding }) {
  const place = finding.line > 0 ? `${finding.file}:${finding.line}` : finding.file;
  return (
    <li className="border-l-2 pl-3 break-words">
      {finding.path && finding.path !== place && (
        <code className="mr-1 font-mono text-xs">{finding.path}</code>
      )}
      {finding.reason || finding.message}
      {place && <code className="ml-1 font-mono text-xs text-ink-faint">{place}</code>}
      {finding.remedyText && <p className="text-xs text-ink-soft">{finding.remedyText}</p>}
    </li>
  );
}
