import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { ErrorPanel } from "@/components/error-panel";

interface Props {
  restored: boolean;
  outdated: boolean;
  error: unknown;
  onDiscard: () => void;
  onCompare: () => void;
}

/** What the reader should know about the draft; one thing at a time, the most pressing first. */
export function DraftNotes({ restored, outdated, error, onDiscard, onCompare }: Props) {
  if (error) return <ErrorPanel error={error} />;
  if (outdated) {
    return (
      <Alert
        tone="warn"
        title="A newer version was saved since you began"
        actions={
          <Button size="sm" onClick={onCompare}>
            Compare and decide
          </Button>
        }
      >
        Your changes are kept. Saving shows both, and overwrites nothing by itself.
      </Alert>
    );
  }
  if (!restored) return null;
  return (
    <Alert
      title="Your draft was restored"
      actions={
        <Button size="sm" onClick={onDiscard}>
          Discard draft
        </Button>
      }
    >
      These changes were not saved when you were here last.
    </Alert>
  );
}
