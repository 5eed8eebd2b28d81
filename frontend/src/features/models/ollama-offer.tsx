import { useQuery } from "@tanstack/react-query";
import { LoaderCircle } from "lucide-react";

import { Alert } from "@/components/ui/alert";
import { Button } from "@/components/ui/button";
import { pluralize } from "@/lib/format";

import { OLLAMA_HERE, ollamaHereQuery } from "./provider-requests";

/** Looks once whether Ollama runs beside the server, and offers it. */
export function OllamaOffer({ onUse }: { onUse: (baseUrl: string) => void }) {
  const { data, isPending, isError } = useQuery(ollamaHereQuery());
  if (isError) return null;
  if (isPending) {
    return (
      <p role="status" className="flex items-center gap-2 text-ink-soft">
        <LoaderCircle aria-hidden className="size-4 animate-spin" />
        Looking for Ollama on the server’s own machine…
      </p>
    );
  }
  if (!data.report.ok) {
    return (
      <Alert tone="info" title="No Ollama found on the server’s own machine">
        Start it there with <code className="font-mono">ollama serve</code>, or enter the address of
        another machine.
      </Alert>
    );
  }
  return (
    <Alert
      tone="info"
      title="Ollama is running on the server’s own machine"
      actions={
        <Button size="sm" onClick={() => onUse(OLLAMA_HERE)}>
          Use it
        </Button>
      }
    >
      {OLLAMA_HERE}, {pluralize(data.report.models.length, "model")}.
    </Alert>
  );
}
