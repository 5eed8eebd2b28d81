import { useQuery } from "@tanstack/react-query";

import { ErrorPanel } from "@/components/error-panel";
import { Alert } from "@/components/ui/alert";
import { Dialog } from "@/components/ui/dialog";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api, body } from "@/lib/api/client";
import type { McpResource, McpResourceContent } from "@/lib/api/types";

interface Props {
  serverId: string;
  resource: McpResource;
  onClose: () => void;
}

/** The beginning of a resource, read from its server each time. */
export function ResourceDialog({ serverId, resource, onClose }: Props) {
  const content = useQuery({
    queryKey: ["mcp-resource", serverId, resource.uri],
    queryFn: async ({ signal }) =>
      body(
        await api.POST("/api/v1/mcp/servers/{mcp_server_id}/contents/read", {
          params: { path: { mcp_server_id: serverId } },
          body: { uri: resource.uri },
          signal,
        }),
      ),
    gcTime: 0,
    retry: false,
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={resource.name}
      description={resource.uri}
      className="w-[min(48rem,calc(100vw-1.5rem))]"
    >
      {content.isError ? (
        <ErrorPanel error={content.error} onRetry={() => content.refetch()} />
      ) : content.data ? (
        <Content content={content.data} />
      ) : (
        <SkeletonRows rows={4} />
      )}
    </Dialog>
  );
}

function Content({ content }: { content: McpResourceContent }) {
  if (content.problem) {
    return (
      <Alert tone="err" title="The resource could not be read">
        {content.problem}
      </Alert>
    );
  }
  return (
    <div className="grid gap-2">
      {content.text && (
        <pre
          // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- scrollable regions must be focusable
          tabIndex={0}
          aria-label="Content"
          className="max-h-[60dvh] overflow-auto rounded-md border bg-sunken p-3 text-[13px] break-words whitespace-pre-wrap"
        >
          {content.text}
        </pre>
      )}
      <p className="text-xs text-ink-faint">{describe(content)}</p>
    </div>
  );
}

function describe({ mimeType, isTruncated, isBinary, text }: McpResourceContent): string {
  const kind = mimeType ?? "Unknown type";
  if (isBinary) return `${kind}: bytes are not shown.`;
  if (!text) return `${kind}: the resource is empty.`;
  return isTruncated ? `${kind}. Only the first 20,000 characters are shown.` : `${kind}.`;
}
