import { useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Connection } from "@/lib/api/types";

import { ConnectionForm } from "./connection-form";
import { CONNECTION_KINDS, listKinds, type ConnectionKind } from "./connection-kinds";

interface Props {
  /** The connection to edit; without one a new connection is added. */
  connection?: Connection;
  /** What the new connection is for, such as `search`. */
  purpose?: string;
  /** The names that connections have. */
  taken: string[];
  onClose: () => void;
  onSaved: (connection: Connection) => void;
}

/** Adds a connection: choose its kind, then fill in the form. Or edits one. */
export function ConnectionDialog({ connection, purpose, taken, onClose, onSaved }: Props) {
  const kinds = listKinds(purpose ?? null);
  const [picked, setPicked] = useState<ConnectionKind | null>(null);
  const kind = connection?.kind ?? picked ?? (kinds.length === 1 ? (kinds[0] ?? null) : null);
  const title = connection
    ? `Edit ${connection.name}`
    : kind
      ? `Connect ${CONNECTION_KINDS[kind].title}`
      : "Add a connection";
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={kind ? undefined : "Choose a service. Its key is stored encrypted."}
    >
      {kind ? (
        <>
          {!connection && kinds.length > 1 && (
            <div className="mb-4 flex items-center gap-3">
              <p className="min-w-0 flex-1 text-ink-soft">{CONNECTION_KINDS[kind].summary}</p>
              <Button size="sm" variant="ghost" onClick={() => setPicked(null)}>
                Choose another
              </Button>
            </div>
          )}
          <ConnectionForm key={kind} {...{ kind, connection, taken, onClose, onSaved }} />
        </>
      ) : (
        <KindPicker kinds={kinds} onPick={setPicked} />
      )}
    </Dialog>
  );
}

interface PickerProps {
  kinds: ConnectionKind[];
  onPick: (kind: ConnectionKind) => void;
}

function KindPicker({ kinds, onPick }: PickerProps) {
  return (
    <ul className="grid gap-2 sm:grid-cols-2">
      {kinds.map((kind) => (
        <li key={kind}>
          <button
            type="button"
            onClick={() => onPick(kind)}
            className="w-full rounded-md border bg-surface p-2.5 text-left transition-colors hover:border-line-strong hover:bg-hover"
          >
            <span className="block font-medium">{CONNECTION_KINDS[kind].title}</span>
            <span className="block text-xs text-ink-faint">{CONNECTION_KINDS[kind].summary}</span>
          </button>
        </li>
      ))}
    </ul>
  );
}
