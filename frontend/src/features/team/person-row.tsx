import { useMutation, useQueryClient } from "@tanstack/react-query";
import { EllipsisVertical } from "lucide-react";
import { useState } from "react";

import { Allowed } from "@/components/allowed";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { IconButton } from "@/components/ui/icon-button";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { api, body } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { Person, WorkspaceRole } from "@/lib/api/types";
import { teamKeys } from "@/lib/queries/team";
import { useCan } from "@/lib/rights";
import { roleLabel } from "@/lib/roles";
import { toast } from "@/lib/toast";

import { downloadPersonalData } from "./download-personal-export";
import { RemovePersonDialog, type RemovedFrom } from "./remove-person-dialog";
import { RoleSelect } from "./role-select";
import { SecretDialog } from "./secret-dialog";

/** A person with the role, and actions on the account. */
export function PersonRow({ person }: { person: Person }) {
  const isAdministrator = useCan("instance:admin");
  const [removedFrom, setRemovedFrom] = useState<RemovedFrom | null>(null);
  const [link, setLink] = useState<string | null>(null);
  const reset = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/people/{person_id}/password-reset", {
          params: { path: { person_id: person.id } },
        }),
      ),
    onSuccess: ({ path }) => setLink(location.origin + path),
    onError: showError,
  });
  const signOut = useMutation({
    mutationFn: async () => {
      const params = { path: { person_id: person.id } };
      await api.DELETE("/api/v1/people/{person_id}/sessions", { params });
    },
    onSuccess: () => toast.success(`${person.name} is signed out everywhere`),
    onError: showError,
  });
  const exportData = useMutation({
    mutationFn: () => downloadPersonalData(person.id),
    onError: showError,
  });
  return (
    <li className="flex flex-wrap items-center gap-x-4 gap-y-2 px-4 py-2.5">
      <PersonName person={person} />
      <span className="text-ink-faint max-md:hidden">
        {person.lastSignInAt ? (
          <>
            signed in <TimeAgo at={person.lastSignInAt} />
          </>
        ) : (
          "never signed in"
        )}
      </span>
      <PersonRole person={person} />
      <Allowed scope="people:write">
        <Menu
          trigger={
            <IconButton label={`Actions for ${person.name}`}>
              <EllipsisVertical aria-hidden />
            </IconButton>
          }
        >
          <MenuItem onSelect={() => reset.mutate()}>Create a link for a new password</MenuItem>
          <MenuItem onSelect={() => signOut.mutate()}>Sign out everywhere</MenuItem>
          {person.managedBy === null && (
            <>
              <MenuSeparator />
              <MenuItem danger onSelect={() => setRemovedFrom("workspace")}>
                Remove from the workspace
              </MenuItem>
            </>
          )}
          {isAdministrator && (
            <>
              <MenuSeparator />
              <MenuItem onSelect={() => exportData.mutate()}>Export everything stored</MenuItem>
              <MenuItem danger onSelect={() => setRemovedFrom("server")}>
                Remove the account for good
              </MenuItem>
            </>
          )}
        </Menu>
      </Allowed>
      <RemovePersonDialog person={person} from={removedFrom} onClose={() => setRemovedFrom(null)} />
      <SecretDialog
        title="Pass this link on"
        description={`With it ${person.name} chooses a new password, once, within 24 hours. Anyone who has it can sign in as them. It is not shown again.`}
        secret={link}
        onClose={() => setLink(null)}
      />
    </li>
  );
}

function PersonName({ person }: { person: Person }) {
  return (
    <div className="min-w-0 flex-1 basis-48">
      <p className="font-medium break-words">{person.name}</p>
      <p className="break-words text-ink-faint">{person.email}</p>
      <div className="flex flex-wrap gap-1 empty:hidden">
        {person.isAdministrator && <Badge tone="accent">Administrator</Badge>}
        {person.hasSecondFactor && <Badge tone="ok">Second factor</Badge>}
        {person.issuers.map((issuer) => (
          <Badge key={issuer} tone="idle">
            {issuer}
          </Badge>
        ))}
        {person.isDisabled && <Badge tone="warn">Disabled</Badge>}
      </div>
    </div>
  );
}

function PersonRole({ person }: { person: Person }) {
  if (person.managedBy !== null) {
    return (
      <p className="w-28 text-ink-soft">
        {roleLabel(person.role)}
        <span className="block text-xs text-ink-faint">by groups of {person.managedBy}</span>
      </p>
    );
  }
  return <ChangeableRole person={person} />;
}

function ChangeableRole({ person }: { person: Person }) {
  const queryClient = useQueryClient();
  const canChange = useCan("people:write");
  const change = useMutation({
    mutationFn: async (role: WorkspaceRole) => {
      const params = { path: { person_id: person.id } };
      await api.PATCH("/api/v1/people/{person_id}", { params, body: { role } });
    },
    onSuccess: (_, role) => {
      const before = person.role;
      toast.success(`${person.name} is now ${roleLabel(role)}`, {
        action: { label: "Undo", onClick: () => change.mutate(before) },
      });
    },
    onError: showError,
    onSettled: () => queryClient.invalidateQueries({ queryKey: teamKeys.people }),
  });
  return (
    <RoleSelect
      aria-label={`Role of ${person.name}`}
      className="w-28"
      value={change.isPending ? change.variables : person.role}
      disabled={change.isPending || !canChange}
      onChange={(event) => change.mutate(event.target.value as WorkspaceRole)}
    />
  );
}

function showError(error: Error): void {
  const { title, detail } = describeError(error);
  toast.error(detail || title);
}
