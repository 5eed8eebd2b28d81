import { X } from "lucide-react";
import { Dialog } from "radix-ui";
import type { ReactNode } from "react";

import { Button } from "@/components/ui/button";
import { useRestoreFocus } from "@/hooks/use-restore-focus";
import type { AuditEntry } from "@/lib/api/types";
import { formatDateTime } from "@/lib/format";

import type { AuditSearch } from "./audit-filter";
import { ResultBadge } from "./audit-table";
import {
  actorKindLabel,
  describeActor,
  describeOperation,
  describeReason,
  formatValue,
} from "./describe-entry";

interface Props {
  entry: AuditEntry;
  onFilter: (filter: Partial<AuditSearch>) => void;
  onClose: () => void;
}

/** One entry with everything that is recorded of it. */
export function AuditDrawer({ entry, onFilter, onClose }: Props) {
  const restoreFocus = useRestoreFocus();
  const actor = entry.actorId ?? entry.actorKind;
  return (
    <Dialog.Root open onOpenChange={(open) => !open && onClose()}>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-40 bg-overlay" />
        <Dialog.Content
          {...restoreFocus}
          aria-describedby={undefined}
          className="fixed inset-y-0 right-0 z-40 flex w-[min(36rem,100vw)] animate-appear flex-col border-l bg-raised shadow-xl"
        >
          <header className="flex items-start justify-between gap-4 border-b px-5 py-3">
            <Dialog.Title className="text-base font-semibold">
              {describeOperation(entry.operation)}
            </Dialog.Title>
            <Dialog.Close asChild>
              <Button variant="ghost" size="icon-sm" className="-mr-2">
                <X aria-hidden />
                <span className="sr-only">Close</span>
              </Button>
            </Dialog.Close>
          </header>
          <div className="grid min-h-0 flex-1 content-start gap-4 overflow-y-auto px-5 py-4">
            <Facts entry={entry} />
            {entry.changes.length > 0 && <Changes changes={entry.changes} />}
            <div className="flex flex-wrap gap-2">
              <Button size="sm" onClick={() => onFilter({ actor })}>
                All by this actor
              </Button>
              {entry.targetId && (
                <Button size="sm" onClick={() => onFilter({ target: entry.targetId ?? undefined })}>
                  All on this target
                </Button>
              )}
              <Button size="sm" onClick={() => onFilter({ operation: entry.operation })}>
                All of this operation
              </Button>
            </div>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Facts({ entry }: { entry: AuditEntry }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5">
      <Fact label="When">{formatDateTime(entry.at)}</Fact>
      <Fact label="Who">
        {describeActor(entry)}
        <span className="text-ink-faint"> ({actorKindLabel(entry.actorKind)})</span>
      </Fact>
      {entry.actorId && <Fact label="Id" code={entry.actorId} />}
      <Fact label="From" code={entry.address || "–"} />
      <Fact label="Result">
        <ResultBadge entry={entry} />
        {entry.reason && <span className="ml-2">{describeReason(entry.reason)}</span>}
      </Fact>
      <Fact label="Operation" code={entry.operation} />
      {entry.targetId && <Fact label="Target" code={`${entry.targetKind} ${entry.targetId}`} />}
      {entry.requestId && <Fact label="Request" code={entry.requestId} />}
      {entry.hash ? (
        <Fact label="Sealed" code={`#${entry.seq} ${entry.hash}`} />
      ) : (
        <Fact label="Sealed">Within a few seconds</Fact>
      )}
    </dl>
  );
}

function Fact({ label, code, children }: { label: string; code?: string; children?: ReactNode }) {
  return (
    <>
      <dt className="text-ink-soft">{label}</dt>
      <dd className="min-w-0 wrap-anywhere">
        {code ? <code className="font-mono text-xs">{code}</code> : children}
      </dd>
    </>
  );
}

function Changes({ changes }: { changes: AuditEntry["changes"] }) {
  return (
    <table className="w-full table-fixed border-collapse border text-xs">
      <caption className="mb-1.5 text-left text-sm font-semibold">Changed fields</caption>
      <thead>
        <tr className="border-b bg-sunken text-left text-ink-soft">
          {["Field", "Before", "After"].map((name) => (
            <th key={name} scope="col" className="px-2 py-1 font-medium">
              {name}
            </th>
          ))}
        </tr>
      </thead>
      <tbody className="divide-y divide-line">
        {changes.map(({ field, before, after }, index) => (
          <tr key={index} className="align-top">
            <th scope="row" className="px-2 py-1 text-left font-mono font-normal wrap-anywhere">
              {field}
            </th>
            <td className="px-2 py-1 wrap-anywhere">{formatValue(before)}</td>
            <td className="px-2 py-1 wrap-anywhere">{formatValue(after)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
