import { useMutation } from "@tanstack/react-query";
import { useState } from "react";

import { ErrorPanel } from "@/components/error-panel";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { api, body } from "@/lib/api/client";
import type { Tool } from "@/lib/api/types";
import { listArguments, type ToolArgument } from "@/lib/find-tools";
import { formatDuration } from "@/lib/format";

import { toArguments } from "./tool-arguments";

interface Props {
  tool: Tool;
  onClose: () => void;
}

/** Calls a tool with typed arguments, as an agent would. */
export function TryDialog({ tool, onClose }: Props) {
  const args = listArguments(tool);
  const [texts, setTexts] = useState<Record<string, string>>({});
  const call = useMutation({
    mutationFn: async () =>
      body(
        await api.POST("/api/v1/tools/try", {
          body: { tool: tool.name, arguments: toArguments(args, texts) as Record<string, never> },
        }),
      ),
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Try ${tool.title}`}
      description={
        tool.effect === "write"
          ? "The call is real: it sends or changes something."
          : "The call is real, with the limits of a run."
      }
      className="w-[min(42rem,calc(100vw-1.5rem))]"
    >
      <form
        className="grid gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          call.mutate();
        }}
      >
        {args.map((argument) => (
          <ArgumentField
            key={argument.name}
            argument={argument}
            value={texts[argument.name] ?? ""}
            onChange={(text) => setTexts({ ...texts, [argument.name]: text })}
          />
        ))}
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Close</Button>
          <Button type="submit" variant="primary" busy={call.isPending}>
            Call the tool
          </Button>
        </div>
      </form>
      {call.error && <ErrorPanel error={call.error} className="mt-4" />}
      {call.data && !call.isPending && (
        <section aria-label="Result" aria-live="polite" className="mt-4">
          <p className="flex gap-2">
            <span className={`font-semibold ${call.data.ok ? "text-ok" : "text-err"}`}>
              {call.data.ok ? "Result" : "Failed"}
            </span>
            <span className="text-ink-faint">{formatDuration(call.data.latencyMs)}</span>
          </p>
          {/* Focusable, so that a long result can be scrolled with the keyboard. */}
          <pre
            // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
            tabIndex={0}
            className="mt-1 max-h-80 overflow-auto rounded-md border bg-sunken p-3 font-mono text-xs wrap-anywhere whitespace-pre-wrap"
          >
            {call.data.output}
          </pre>
        </section>
      )}
    </Dialog>
  );
}

interface FieldProps {
  argument: ToolArgument;
  value: string;
  onChange: (text: string) => void;
}

function ArgumentField({ argument, value, onChange }: FieldProps) {
  const { name, type, description, required } = argument;
  const isShort = type === "integer" || type === "number";
  const Control = isShort ? Input : Textarea;
  return (
    <Field
      label={
        <>
          {name} <span className="font-normal text-ink-faint">{type}</span>
        </>
      }
      hint={description}
      required={required}
    >
      <Control
        className={isShort ? "" : "field-sizing-content max-h-48 min-h-9"}
        required={required}
        value={value}
        onChange={(event) => onChange(event.target.value)}
      />
    </Field>
  );
}
