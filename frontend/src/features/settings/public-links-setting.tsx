import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";

import { api, body } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import { teamKeys, workspaceQuery } from "@/lib/queries/team";
import { toast } from "@/lib/toast";

import { SwitchSetting } from "./switch-setting";

/** Allows or forbids to share runs with people without an account. For owners. */
export function PublicLinksSetting() {
  const queryClient = useQueryClient();
  const { data: workspace } = useQuery(workspaceQuery());
  const save = useMutation({
    mutationFn: async (allowsPublicLinks: boolean) =>
      body(await api.PATCH("/api/v1/workspace", { body: { allowsPublicLinks } })).workspace,
    onSuccess: (saved) => queryClient.setQueryData(teamKeys.workspace, saved),
    onError: (error) => toast.error(describeError(error).title),
  });
  if (!workspace) return null;
  return (
    <SwitchSetting
      name="Public links"
      hint="Lets people share a run with anyone, by a link that expires. Switched off, links that exist do not work."
      on={save.isPending ? save.variables : workspace.allowsPublicLinks}
      onChange={(on) => save.mutate(on)}
    />
  );
}
