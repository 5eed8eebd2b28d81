import { useMutation, useQueryClient } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api, body } from "@/lib/api/client";
import type { Person } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { toast } from "@/lib/toast";

/** An owner removes from the workspace, an administrator from the server and for good. */
export type RemovedFrom = "workspace" | "server";

interface Props {
  person: Person;
  /** Null: closed. */
  from: RemovedFrom | null;
  onClose: () => void;
}

const TEXTS = {
  workspace: {
    title: (name: string) => `Remove ${name}?`,
    description:
      "Their sessions and API keys in this workspace end at once. Their runs and workflows stay. To undo this, invite them again.",
    action: "Remove",
  },
  server: {
    title: (name: string) => `Remove the account of ${name}?`,
    description:
      "Their account on this server goes for good, with their sessions, API keys and links in every workspace. Their runs and workflows stay, under a pseudonym. This cannot be undone.",
    action: "Remove for good",
  },
};

/** Asks for confirmation before someone is removed. */
export function RemovePersonDialog({ person, from, onClose }: Props) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: removeFrom,
    onSuccess: async (message) => {
      toast.success(message);
      onClose();
      await queryClient.invalidateQueries({ queryKey: teamKeys.people });
    },
  });
  const { title, description, action } = TEXTS[from ?? "workspace"];
  return (
    <ConfirmDialog
      open={from !== null}
      onOpenChange={(next) => {
        if (next) return;
        remove.reset();
        onClose();
      }}
      title={title(person.name)}
      description={description}
      action={action}
      busy={remove.isPending}
      onConfirm={() => from && remove.mutate({ person, from })}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}

/** Returns what was done. */
async function removeFrom({ person, from }: { person: Person; from: RemovedFrom }) {
  const params = { path: { person_id: person.id } };
  if (from === "workspace") {
    await api.DELETE("/api/v1/people/{person_id}", { params });
    return `${person.name} is removed from the workspace`;
  }
  const { name } = body(await api.DELETE("/api/v1/people/{person_id}/account", { params }));
  return `${person.name} is removed. What they did is shown as ${name}.`;
}
