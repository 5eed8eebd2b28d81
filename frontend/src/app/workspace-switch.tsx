import { useMutation } from "@tanstack/react-query";
import { Check } from "lucide-react";

import { api, body } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import { session } from "@/lib/api/session";
import type { Me } from "@/lib/api/types";
import { toast } from "@/lib/toast";

/** The person's workspaces; choosing one opens its dashboard in a new session. */
export function WorkspaceSwitch({ me }: { me: Me }) {
  const enter = useMutation({
    mutationFn: async (workspaceId: string) => {
      const answer = await api.POST("/api/v1/me/workspace", { body: { workspaceId } });
      const { endsAtIssuer } = session;
      session.signIn({ csrfToken: body(answer).csrfToken, isRemembered: false, endsAtIssuer });
      // Everything in memory belongs to the workspace before.
      location.assign("/");
    },
    onError: (error) => toast.error(describeError(error).title),
  });
  return (
    <div className="border-b p-1">
      <h2 className="px-2.5 pt-1 text-xs font-medium text-ink-faint">Workspaces</h2>
      <ul>
        {me.workspaces.map(({ id, name }) => {
          const isCurrent = id === me.workspace.id;
          return (
            <li key={id}>
              <button
                type="button"
                aria-current={isCurrent}
                disabled={isCurrent || enter.isPending}
                onClick={() => enter.mutate(id)}
                className="flex min-h-8 w-full items-center gap-2.5 rounded-sm px-2.5 text-left break-words hover:bg-hover focus-visible:-outline-offset-2 max-sm:min-h-11"
              >
                <span className="min-w-0 flex-1">{name}</span>
                {isCurrent && <Check aria-hidden className="size-4 text-ink-soft" />}
              </button>
            </li>
          );
        })}
      </ul>
    </div>
  );
}
