import { SearchX } from "lucide-react";
import { useState } from "react";

import { EmptyState } from "@/components/empty-state";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import type { Provider } from "@/lib/api/types";

import { FormDialog } from "./form-dialog";
import { ProviderForm } from "./provider-form";
import { ProviderIcon } from "./provider-icon";
import { ProviderTypePicker } from "./provider-type-picker";
import { PROVIDER_KINDS, type ConnectableType } from "./provider-types";
import { newProviderValues, providerValues } from "./provider-values";

const WIDE = "w-[min(38rem,calc(100vw-1.5rem))]";

interface Props {
  onClose: () => void;
  onSaved: (provider: Provider) => void;
}

/** Connects a new provider: select its type, then fill in the form. */
export function NewProviderDialog({ taken, onClose, onSaved }: Props & { taken: string[] }) {
  const [type, setType] = useState<ConnectableType | null>(null);
  return (
    <FormDialog
      title={type ? `Connect ${PROVIDER_KINDS[type].title}` : "Connect a provider"}
      description={type ? undefined : "Select a provider type."}
      onClose={onClose}
      className={WIDE}
    >
      {(onTouched) =>
        type ? (
          <>
            <ChosenType type={type} onChange={() => setType(null)} />
            <ProviderForm
              values={newProviderValues(type, taken)}
              onTouched={onTouched}
              onCancel={onClose}
              onSaved={onSaved}
            />
          </>
        ) : (
          <ProviderTypePicker onPick={setType} />
        )
      }
    </FormDialog>
  );
}

function ChosenType({ type, onChange }: { type: ConnectableType; onChange: () => void }) {
  return (
    <div className="mb-4 flex items-center gap-3">
      <ProviderIcon type={type} />
      <p className="min-w-0 flex-1 text-ink-soft">{PROVIDER_KINDS[type].summary}</p>
      <Button size="sm" variant="ghost" onClick={onChange}>
        Choose another
      </Button>
    </div>
  );
}

export function EditProviderDialog({ provider, onClose, onSaved }: Props & { provider: Provider }) {
  return (
    <FormDialog title={`Edit ${provider.name}`} onClose={onClose} className={WIDE}>
      {(onTouched) => (
        <ProviderForm
          provider={provider}
          values={providerValues(provider)}
          onTouched={onTouched}
          onCancel={onClose}
          onSaved={onSaved}
        />
      )}
    </FormDialog>
  );
}

/** Shown when the URL selects something that does not exist or cannot be edited. */
export function NotFoundDialog({
  what,
  onClose,
}: {
  what: "model" | "provider";
  onClose: () => void;
}) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`${what === "model" ? "Model" : "Provider"} not found`}
    >
      <EmptyState
        icon={SearchX}
        title={`This ${what} does not exist`}
        actions={
          <Button variant="primary" onClick={onClose}>
            Show list
          </Button>
        }
      >
        It may have been deleted, or the link belongs to another installation.
      </EmptyState>
    </Dialog>
  );
}
