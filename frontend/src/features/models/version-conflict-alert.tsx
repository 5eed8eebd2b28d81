import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";

interface Props {
  /** Fields changed elsewhere, once the latest version is loaded. */
  loaded: string[] | null;
  busy: boolean;
  onLoad: () => void;
}

/** Shown after a version conflict; loading the latest version keeps unsaved input. */
export function VersionConflictAlert({ loaded, busy, onLoad }: Props) {
  if (loaded) {
    return (
      <Alert tone="info" title="Latest version loaded">
        {loaded.length > 0 ? `Changed elsewhere: ${loaded.join(", ")}. ` : ""}
        Your changes are kept. Review them and save again.
      </Alert>
    );
  }
  return (
    <Alert
      tone="err"
      title="Changed in another tab or by another user"
      actions={
        <Button size="sm" busy={busy} onClick={onLoad}>
          Load latest version
        </Button>
      }
    >
      Nothing was saved. Loading the latest version keeps your changes.
    </Alert>
  );
}
