import { CopyButton } from "@/components/ui/copy-button";

/** A link with a button that copies it. */
export function LinkText({ text }: { text: string }) {
  return (
    <div className="flex items-center gap-2 rounded-md border bg-sunken px-3 py-1.5">
      <code className="min-w-0 flex-1 font-mono text-xs break-all">{text}</code>
      <CopyButton text={text} label="Copy link" />
    </div>
  );
}
