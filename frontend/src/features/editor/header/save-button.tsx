import { ChevronDown, Save } from "lucide-react";
import { useEffect, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { IconButton } from "@/components/ui/icon-button";
import { Textarea } from "@/components/ui/input";
import { Tooltip } from "@/components/ui/tooltip";

interface Props {
  /** Why it cannot be saved now; null when it can. */
  reason: string | null;
  busy: boolean;
  onSave: (note?: string) => void;
}

/** Saves with a click or Ctrl/⌘ S; a note on what changed and why is one step away. */
export function SaveButton({ reason, busy, onSave }: Props) {
  const [noting, setNoting] = useState(false);
  const [note, setNote] = useState("");
  const can = reason === null && !busy;
  useSaveKey(() => can && onSave());
  const saveWithNote = () => {
    onSave(note);
    setNoting(false);
    setNote("");
  };
  return (
    <>
      <div className="flex">
        <Tooltip text={reason ?? "Ctrl/⌘ S"}>
          <Button
            variant="primary"
            className="rounded-r-none"
            busy={busy}
            aria-disabled={reason !== null || undefined}
            onClick={() => can && onSave()}
          >
            {!busy && <Save aria-hidden />}
            Save
          </Button>
        </Tooltip>
        <IconButton
          label="Save with a note"
          variant="primary"
          className="w-7 rounded-l-none border-l border-accent-ink/25 max-sm:w-10"
          aria-disabled={!can || undefined}
          onClick={() => can && setNoting(true)}
        >
          <ChevronDown aria-hidden />
        </IconButton>
      </div>
      <Dialog
        open={noting}
        onOpenChange={setNoting}
        title="Save with a note"
        description="It stands beside the version in the list of versions."
        footer={
          <Button variant="primary" onClick={saveWithNote}>
            Save
          </Button>
        }
      >
        <Field label="What changed and why">
          <Textarea
            maxLength={500}
            value={note}
            onChange={(event) => setNote(event.target.value)}
          />
        </Field>
      </Dialog>
    </>
  );
}

function useSaveKey(save: () => void): void {
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== "s" || !(event.ctrlKey || event.metaKey) || event.altKey)
        return;
      event.preventDefault();
      save();
    };
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  });
}
