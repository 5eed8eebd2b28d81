import { ChevronRight } from "lucide-react";

const CODE = "rounded-sm bg-sunken px-1 py-0.5 font-mono text-xs text-ink";

/** Explains where to find the API key. */
export function ApiKeyHelp() {
  return (
    <details className="group border-t pt-3 text-ink-soft">
      <summary className="flex cursor-pointer list-none items-center gap-1 rounded-sm font-medium select-none hover:text-ink max-sm:min-h-9 [&::-webkit-details-marker]:hidden">
        <ChevronRight aria-hidden className="size-4 transition-transform group-open:rotate-90" />
        Where do I find the API key?
      </summary>
      <ul className="mt-2 ml-5 grid list-disc gap-1.5 pl-1 marker:text-ink-faint">
        <li>
          <code className={CODE}>make run</code> prints it when it starts.
        </li>
        <li>
          The server stores a generated key in the file <code className={CODE}>api-key</code> in its
          data folder (<code className={CODE}>DATA_DIR</code>).
        </li>
        <li>
          If the setting <code className={CODE}>API_KEY</code> is set, the key is its value.
        </li>
      </ul>
    </details>
  );
}
