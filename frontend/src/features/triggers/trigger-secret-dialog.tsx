import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";
import type { TriggerSecret } from "@/lib/api/types";

import { curlExample } from "./curl-example";

/** Shows the secret of a trigger, which cannot be read again, with its address and an example. */
export function TriggerSecretDialog({
  created: { trigger, secret },
  onClose,
}: {
  created: TriggerSecret;
  onClose: () => void;
}) {
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Secret of ${trigger.name}`}
      description="Give the address and the secret to the sender now. The secret is not shown again."
      closable={false}
      footer={
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="grid gap-3">
        <CopyText label="Address" text={location.origin + trigger.path} />
        <CopyText label="Secret" text={secret} />
        <CopyText label="Example" text={curlExample(trigger, location.origin, secret)} />
      </div>
    </Dialog>
  );
}

export function CopyText({ label, text }: { label: string; text: string }) {
  return (
    <div className="grid gap-1">
      <p className="font-medium">{label}</p>
      <div className="flex items-start gap-2 rounded-md border bg-sunken px-3 py-1.5">
        <code className="min-w-0 flex-1 font-mono text-xs break-all whitespace-pre-wrap">
          {text}
        </code>
        <CopyButton text={text} label={`Copy ${label.toLowerCase()}`} />
      </div>
    </div>
  );
}
