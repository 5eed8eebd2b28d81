import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import type { Run } from "@/lib/api/types";
import { workspaceQuery } from "@/lib/queries/team";
import { useCan } from "@/lib/rights";

import { LinkText } from "./link-text";
import { NewPublicLink } from "./new-public-link";
import { PublicLinkList } from "./public-link-list";
import { publicLinksQuery } from "./public-links-query";

interface Props {
  run: Run;
  onClose: () => void;
}

/** The links to a run: within the workspace, and for people without an account. */
export function ShareDialog({ run, onClose }: Props) {
  return (
    <Dialog
      open
      onOpenChange={(next) => !next && onClose()}
      title="Share this run"
      footer={<Button onClick={onClose}>Close</Button>}
    >
      <div className="grid gap-5">
        <section className="grid gap-1.5">
          <h3 className="font-medium">In this workspace</h3>
          <LinkText text={`${location.origin}/runs/${run.id}`} />
          <p className="text-xs text-ink-faint">For people who can sign in to this workspace.</p>
        </section>
        <section className="grid gap-3">
          <h3 className="font-medium">Public links</h3>
          <PublicLinks run={run} />
        </section>
      </div>
    </Dialog>
  );
}

function PublicLinks({ run }: { run: Run }) {
  const maySend = useCan("runs:write");
  const workspace = useQuery(workspaceQuery());
  const links = useQuery(publicLinksQuery(run.id));
  const failed = [workspace, links].find((query) => query.isError && !query.data);
  if (failed) return <ErrorPanel error={failed.error} onRetry={() => void failed.refetch()} />;
  if (!workspace.data || !links.data) return <SkeletonRows rows={2} className="p-0" />;
  return (
    <>
      {!workspace.data.allowsPublicLinks ? (
        <p className="text-ink-soft">
          Public links are off. An owner of the workspace can allow them under Settings.
        </p>
      ) : (
        maySend && <NewPublicLink runId={run.id} />
      )}
      {links.data.length > 0 && (
        <PublicLinkList runId={run.id} links={links.data} mayRevoke={maySend} />
      )}
      {workspace.data.allowsPublicLinks && !maySend && links.data.length === 0 && (
        <p className="text-ink-soft">There is no public link to this run.</p>
      )}
    </>
  );
}
