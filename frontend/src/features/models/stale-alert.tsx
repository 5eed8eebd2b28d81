import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";

interface Props {
  /** What differs from what was seen, once the newest was loaded. */
  loaded: string[] | null;
  busy: boolean;
  onLoad: () => void;
}

/** Says that somebody else saved meanwhile; loading the newest keeps what was typed here. */
export function StaleAlert({ loaded, busy, onLoad }: Props) {
  if (loaded) {
    return (
      <Alert tone="info" title="The newest is loaded">
        {loaded.length > 0 ? `Changed elsewhere: ${loaded.join(", ")}. ` : ""}
        What you typed is kept; look it over and save again.
      </Alert>
    );
  }
  return (
    <Alert
      tone="err"
      title="Changed elsewhere meanwhile"
      actions={
        <Button size="sm" busy={busy} onClick={onLoad}>
          Load the newest
        </Button>
      }
    >
      Nothing was saved. Loading the newest keeps what you typed.
    </Alert>
  );
}
