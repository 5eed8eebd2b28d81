import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { Select } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import { pluralize } from "@/lib/format";
import { runKeys } from "@/lib/queries/runs";
import { toast } from "@/lib/toast";

import { SettingRow } from "./setting-row";

const DAY_MS = 86_400_000;
const AGES = [
  { days: 90, words: "started over 90 days ago" },
  { days: 30, words: "started over 30 days ago" },
  { days: 7, words: "started over 7 days ago" },
  { days: 0, words: "of any age" },
];
const FINISHED = ["completed", "failed", "stopped", "crashed"] as const;

/** Clears finished runs off the server. */
export function DeleteRuns() {
  const id = useId();
  const [days, setDays] = useState(30);
  const [asking, setAsking] = useState(false);
  const deletion = useDeleteRuns(() => setAsking(false));
  const words = AGES.find((age) => age.days === days)?.words ?? "";
  return (
    <SettingRow
      name={<label htmlFor={id}>Delete finished runs</label>}
      hint="With their events, messages and files. Runs at work and workflows stay."
    >
      <Select
        id={id}
        className="w-auto"
        value={days}
        onChange={(event) => setDays(Number(event.target.value))}
      >
        {AGES.map((age) => (
          <option key={age.days} value={age.days}>
            {age.words}
          </option>
        ))}
      </Select>
      <Button variant="danger" onClick={() => setAsking(true)}>
        Delete runs
      </Button>
      <ConfirmDialog
        open={asking}
        onOpenChange={(open) => {
          setAsking(open);
          deletion.reset();
        }}
        title={`Delete finished runs ${words}?`}
        description="Completed, failed, stopped and crashed runs are deleted on the server, for everybody. This cannot be undone."
        action="Delete for good"
        busy={deletion.isPending}
        onConfirm={() => deletion.mutate(days)}
      >
        {deletion.error && <ErrorPanel error={deletion.error} className="mt-4" />}
      </ConfirmDialog>
    </SettingRow>
  );
}

function useDeleteRuns(onDone: () => void) {
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: async (days: number) => {
      const before = new Date(Date.now() - days * DAY_MS).toISOString();
      const query = { status: [...FINISHED], ...(days > 0 ? { before } : {}) };
      return body(await api.DELETE("/api/v1/runs", { params: { query } })).deleted;
    },
    onSuccess: (deleted) => {
      toast.success(
        deleted === 0 ? "No run fitted: nothing deleted." : `Deleted ${pluralize(deleted, "run")}.`,
      );
      onDone();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: runKeys.all }),
  });
}
