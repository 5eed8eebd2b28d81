import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";

interface Props {
  isRestored: boolean;
  isOutdated: boolean;
  error: unknown;
  onDiscard: () => void;
  onCompare: () => void;
}

/** The most important notice about the draft: a save error, a newer version, or a restored draft. */
export function DraftAlert({ isRestored, isOutdated, error, onDiscard, onCompare }: Props) {
  if (error) return <ErrorPanel error={error} />;
  if (isOutdated) {
    return (
      <Alert
        tone="warn"
        title="A newer version was saved since you started editing"
        actions={
          <Button size="sm" onClick={onCompare}>
            Compare
          </Button>
        }
      >
        Your changes are kept. Before you save, you can compare both versions.
      </Alert>
    );
  }
  if (!isRestored) return null;
  return (
    <Alert
      title="Draft restored"
      actions={
        <Button size="sm" onClick={onDiscard}>
          Discard draft
        </Button>
      }
    >
      These changes from your last visit have not been saved.
    </Alert>
  );
}
