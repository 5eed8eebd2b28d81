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
  { days: 90, label: "started more than 90 days ago" },
  { days: 30, label: "started more than 30 days ago" },
  { days: 7, label: "started more than 7 days ago" },
  { days: 0, label: "of any age" },
];
const FINISHED = ["completed", "failed", "stopped", "crashed"] as const;

/** Deletes finished runs on the server. */
export function DeleteRuns() {
  const id = useId();
  const [days, setDays] = useState(30);
  const [isConfirming, setIsConfirming] = useState(false);
  const deletion = useDeleteRuns(() => setIsConfirming(false));
  const ageLabel = AGES.find((age) => age.days === days)?.label ?? "";
  return (
    <SettingRow
      name={<label htmlFor={id}>Delete finished runs</label>}
      hint="Also deletes their events, messages and files. Active runs and workflows are kept."
    >
      <Select
        id={id}
        className="w-auto"
        value={days}
        onChange={(event) => setDays(Number(event.target.value))}
      >
        {AGES.map((age) => (
          <option key={age.days} value={age.days}>
            {age.label}
          </option>
        ))}
      </Select>
      <Button variant="danger" onClick={() => setIsConfirming(true)}>
        Delete runs
      </Button>
      <ConfirmDialog
        open={isConfirming}
        onOpenChange={(open) => {
          setIsConfirming(open);
          deletion.reset();
        }}
        title={`Delete finished runs ${ageLabel}?`}
        description="Completed, failed, stopped and crashed runs are deleted on the server for all users. This cannot be undone."
        action="Delete permanently"
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
        deleted === 0
          ? "No matching runs. Nothing was deleted."
          : `Deleted ${pluralize(deleted, "run")}.`,
      );
      onDone();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: runKeys.all }),
  });
}
