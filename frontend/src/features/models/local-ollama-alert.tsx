import { useQuery } from "@tanstack/react-query";
import { LoaderCircle } from "lucide-react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { pluralize } from "@/lib/format";

import { LOCAL_OLLAMA_URL, localOllamaQuery } from "./provider-requests";

/** Checks once whether Ollama runs on the server's machine and offers to use it. */
export function LocalOllamaAlert({ onUse }: { onUse: (baseUrl: string) => void }) {
  const { data, isPending, isError } = useQuery(localOllamaQuery());
  if (isError) return null;
  if (isPending) {
    return (
      <p role="status" className="flex items-center gap-2 text-ink-soft">
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
        Looking for Ollama on the server’s machine…
      </p>
    );
  }
  if (!data.report.ok) {
    return (
      <Alert tone="info" title="Ollama not found on the server’s machine">
        Start it there with <code className="font-mono">ollama serve</code>, or enter the URL of
        another machine.
      </Alert>
    );
  }
  return (
    <Alert
      tone="info"
      title="Ollama is running on the server’s machine"
      actions={
        <Button size="sm" onClick={() => onUse(LOCAL_OLLAMA_URL)}>
          Use it
        </Button>
      }
    >
      {LOCAL_OLLAMA_URL}, {pluralize(data.report.models.length, "model")}.
    </Alert>
  );
}
