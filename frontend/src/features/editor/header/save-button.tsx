import { ChevronDown, Save } from "lucide-react";
import { useEffect, useState } from "react";

import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { IconButton } from "@/components/ui/icon-button";
import { Textarea } from "@/components/ui/input";
import { Tooltip } from "@/components/ui/tooltip";

interface Props {
  /** Why saving is not possible; null when it is. */
  disabledReason: string | null;
  isSaving: boolean;
  onSave: (note?: string) => void;
}

/** Saves with a click or Ctrl/⌘ S, or with a note. */
export function SaveButton({ disabledReason, isSaving, onSave }: Props) {
  const [isNoteOpen, setNoteOpen] = useState(false);
  const [note, setNote] = useState("");
  const canSave = disabledReason === null && !isSaving;
  useSaveKey(() => canSave && onSave());
  const saveWithNote = () => {
    onSave(note);
    setNoteOpen(false);
    setNote("");
  };
  return (
    <>
      <div className="flex">
        <Tooltip text={disabledReason ?? "Ctrl/⌘ S"}>
          <Button
            variant="primary"
            className="rounded-r-none"
            busy={isSaving}
            aria-disabled={disabledReason !== null || undefined}
            onClick={() => canSave && onSave()}
          >
            {!isSaving && <Save aria-hidden />}
            Save
          </Button>
        </Tooltip>
        <IconButton
          label="Save with a note"
          variant="primary"
          className="w-7 rounded-l-none border-l border-accent-ink/25 max-sm:w-10"
          aria-disabled={!canSave || undefined}
          onClick={() => canSave && setNoteOpen(true)}
        >
          <ChevronDown aria-hidden />
        </IconButton>
      </div>
      <Dialog
        open={isNoteOpen}
        onOpenChange={setNoteOpen}
        title="Save with a note"
        description="The note is shown in the version history."
        footer={
          <Button variant="primary" onClick={saveWithNote}>
            Save
          </Button>
        }
      >
        <Field label="Note">
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
