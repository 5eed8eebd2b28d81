import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Pencil, Plus, PlugZap, Trash2 } from "lucide-react";

import { Allowed } from "@/components/allowed";
import { ErrorPanel } from "@/components/error-panel";
import { TimeAgo } from "@/components/time-ago";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { IconButton } from "@/components/ui/icon-button";
import { useIsNarrowScreen } from "@/hooks/use-media-query";
import type { Model, Provider } from "@/lib/api/types";
import { formatDuration } from "@/lib/format";

import { outcomeLabel } from "./connection-outcome";
import { ConnectionSteps } from "./connection-steps";
import { KeyHint } from "./key-hint";
import { ModelCards, ModelTable, type ModelActions } from "./model-list";
import { shortenUrl } from "./model-labels";
import {
  lastTestQuery,
  storeConnectionTest,
  testProvider,
  type ConnectionTest,
} from "./provider-requests";
import { ProviderIcon } from "./provider-icon";
import { isPlainHttp, PROVIDER_KINDS } from "./provider-types";

interface Props {
  provider: Provider;
  models: Model[];
  actions: ModelActions;
  onEdit: () => void;
  onDelete: () => void;
  onAddModel: () => void;
}

/** A provider with its models and its last connection test. */
export function ProviderCard({ provider, models, actions, ...on }: Props) {
  const client = useQueryClient();
  const narrow = useIsNarrowScreen();
  const { data: last } = useQuery(lastTestQuery(provider.id));
  const test = useMutation({
    mutationFn: () => testProvider(provider.id),
    onSuccess: (tested) => storeConnectionTest(client, provider.id, tested),
  });
  const local = provider.type === "local";
  const List = narrow ? ModelCards : ModelTable;
  return (
    <section
      aria-labelledby={`${provider.id}-name`}
      className="min-w-0 rounded-lg border bg-surface"
    >
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 py-3">
        <ProviderIcon type={provider.type} />
        <div className="min-w-0 flex-1 basis-56">
          <h2
            id={`${provider.id}-name`}
            className="flex flex-wrap items-center gap-x-2 font-semibold"
          >
            <span className="break-words">{provider.name}</span>
            {local && <Badge tone="accent">Built in</Badge>}
          </h2>
          <Facts provider={provider} models={models} />
        </div>
        <Buttons provider={provider} busy={test.isPending} onTest={() => test.mutate()} {...on} />
      </header>
      {test.error && <ErrorPanel error={test.error} className="mx-4 mb-3" />}
      {last && !test.isPending && !test.error && <LastTest provider={provider} last={last} />}
      {test.isPending && (
        <ConnectionSteps
          report={null}
          plainHttp={isPlainHttp(provider.type, provider.baseUrl ?? "")}
          className="mx-4 mb-3"
        />
      )}
      {models.length > 0 ? (
        <List models={models} label={`Models of ${provider.name}`} actions={actions} />
      ) : (
        <NoModels onAddModel={on.onAddModel} />
      )}
    </section>
  );
}

function Facts({ provider, models }: { provider: Provider; models: Model[] }) {
  const kind = PROVIDER_KINDS[provider.type];
  if (provider.type === "local") return <p className="text-ink-soft">{kind.summary}</p>;
  const url = provider.baseUrl ?? kind.baseUrl;
  return (
    <p className="flex flex-wrap gap-x-1.5 text-ink-soft">
      {kind.title !== provider.name && <span>{kind.title} ·</span>}
      {url && <span className="break-all">{shortenUrl(url)} ·</span>}
      <span>
        {provider.hasApiKey ? "key stored" : "no key"}
        {provider.apiKeyHint && <KeyHint hint={provider.apiKeyHint} />} ·
      </span>
      <span>{models.length === 1 ? "1 model" : `${models.length} models`}</span>
    </p>
  );
}

interface ButtonsProps extends Pick<Props, "provider" | "onEdit" | "onDelete" | "onAddModel"> {
  busy: boolean;
  onTest: () => void;
}

function Buttons({ provider, busy, onTest, onEdit, onDelete, onAddModel }: ButtonsProps) {
  const local = provider.type === "local";
  const named = <span className="sr-only"> {provider.name}</span>;
  return (
    <div className="flex flex-wrap items-center gap-1">
      <Allowed scope="providers:write">
        <Button size="sm" busy={busy} onClick={onTest}>
          {!busy && <PlugZap aria-hidden />}
          <span>Test{named}</span>
        </Button>
      </Allowed>
      {!local && (
        <>
          <Allowed scope="models:write">
            <Button size="sm" onClick={onAddModel}>
              <Plus aria-hidden />
              <span>
                Add model<span className="sr-only"> of {provider.name}</span>
              </span>
            </Button>
          </Allowed>
          <Allowed scope="providers:write">
            <IconButton size="icon-sm" label={`Edit ${provider.name}`} onClick={onEdit}>
              <Pencil aria-hidden />
            </IconButton>
            <IconButton size="icon-sm" label={`Delete ${provider.name}`} onClick={onDelete}>
              <Trash2 aria-hidden />
            </IconButton>
          </Allowed>
        </>
      )}
    </div>
  );
}

/** A successful test in one line, a failed one step by step. */
function LastTest({ provider, last }: { provider: Provider; last: ConnectionTest }) {
  const { report, at } = last;
  if (!report.ok) {
    return (
      <ConnectionSteps
        report={report}
        plainHttp={isPlainHttp(provider.type, provider.baseUrl ?? "")}
        className="mx-4 mb-3"
      />
    );
  }
  return (
    <p role="status" className="flex flex-wrap items-center gap-2 px-4 pb-3 text-xs text-ink-faint">
      <Badge tone="ok">{outcomeLabel(report)}</Badge>
      <span>{formatDuration(report.latencyMs)}</span>
      <TimeAgo at={at} />
    </p>
  );
}

function NoModels({ onAddModel }: { onAddModel: () => void }) {
  return (
    <p className="border-t px-4 py-3 text-ink-soft">
      No models yet. Workflows cannot use this provider.{" "}
      <Allowed scope="models:write">
        <Button variant="link" size="inline" onClick={onAddModel}>
          Add the first model
        </Button>
      </Allowed>
    </p>
  );
}
