import { useMutation, useQueryClient } from "@tanstack/react-query";

import { TimeAgo } from "@/components/time-ago";
import { Button } from "@/components/ui/button";
import { api } from "@/lib/api/client";
import { describeError } from "@/lib/api/problem";
import type { PublicLink } from "@/lib/api/types";
import { toast } from "@/lib/toast";

import { publicLinksQuery } from "./public-links-query";

interface Props {
  runId: string;
  links: PublicLink[];
  mayRevoke: boolean;
}

export function PublicLinkList({ runId, links, mayRevoke }: Props) {
  return (
    <ul aria-label="Public links" className="divide-y divide-line rounded-md border">
      {links.map((link) => (
        <PublicLinkRow key={link.id} runId={runId} link={link} mayRevoke={mayRevoke} />
      ))}
    </ul>
  );
}

function PublicLinkRow({ runId, link, mayRevoke }: Omit<Props, "links"> & { link: PublicLink }) {
  const queryClient = useQueryClient();
  const revoke = useMutation({
    mutationFn: async () => {
      const params = { path: { run_id: runId, public_link_id: link.id } };
      await api.DELETE("/api/v1/runs/{run_id}/public-links/{public_link_id}", { params });
    },
    onSuccess: () => toast.success("Public link revoked"),
    onError: (error) => toast.error(describeError(error).title),
    onSettled: () => queryClient.invalidateQueries({ queryKey: publicLinksQuery(runId).queryKey }),
  });
  const shown = ["outputs", link.showsInputs && "inputs", link.showsPrompts && "prompts"];
  return (
    <li className="flex flex-wrap items-center justify-between gap-x-4 gap-y-1 px-3 py-2">
      <div className="min-w-0">
        <p>Shows {shown.filter(Boolean).join(", ")}</p>
        <p className="text-xs text-ink-faint">
          created <TimeAgo at={link.createdAt} />, expires <TimeAgo at={link.expiresAt} />
        </p>
      </div>
      {mayRevoke && (
        <Button size="sm" busy={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke <span className="sr-only">the public link</span>
        </Button>
      )}
    </li>
  );
}
