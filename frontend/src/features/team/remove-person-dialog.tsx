import { useMutation, useQueryClient } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { ConfirmDialog } from "@/components/ui/confirm-dialog";
import { api } from "@/lib/api/client";
import type { Person } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { toast } from "@/lib/toast";

interface Props {
  person: Person;
  open: boolean;
  onClose: () => void;
}

/** Asks for confirmation before someone leaves the workspace. */
export function RemovePersonDialog({ person, open, onClose }: Props) {
  const queryClient = useQueryClient();
  const remove = useMutation({
    mutationFn: async () => {
      const params = { path: { person_id: person.id } };
      await api.DELETE("/api/v1/people/{person_id}", { params });
    },
    onSuccess: async () => {
      toast.success(`${person.name} is removed from the workspace`);
      onClose();
      await queryClient.invalidateQueries({ queryKey: teamKeys.people });
    },
  });
  return (
    <ConfirmDialog
      open={open}
      onOpenChange={(next) => {
        if (next) return;
        remove.reset();
        onClose();
      }}
      title={`Remove ${person.name}?`}
      description="Their sessions and API keys in this workspace end at once. Their runs and workflows stay. To undo this, invite them again."
      action="Remove"
      busy={remove.isPending}
      onConfirm={() => remove.mutate()}
    >
      {remove.isError && <ErrorPanel error={remove.error} className="mt-3" />}
    </ConfirmDialog>
  );
}
