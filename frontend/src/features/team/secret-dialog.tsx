import { Button } from "@/components/ui/button";
import { CopyButton } from "@/components/ui/copy-button";
import { Dialog } from "@/components/ui/dialog";

interface Props {
  title: string;
  description: string;
  /** What is shown this once; null while the dialog is closed. */
  secret: string | null;
  onClose: () => void;
}

/** Shows a key or a link that cannot be read again. */
export function SecretDialog({ title, description, secret, onClose }: Props) {
  return (
    <Dialog
      open={secret !== null}
      onOpenChange={(open) => !open && onClose()}
      title={title}
      description={description}
      closable={false}
      footer={
        <Button variant="primary" onClick={onClose}>
          Done
        </Button>
      }
    >
      <div className="flex items-center gap-2 rounded-md border bg-sunken px-3 py-2">
        <code className="min-w-0 flex-1 font-mono break-all">{secret}</code>
        <CopyButton text={secret ?? ""} />
      </div>
    </Dialog>
  );
}
