import { useQuery } from "@tanstack/react-query";
import { ShieldOff } from "lucide-react";

import { aboutQuery } from "@/lib/queries/system";

/** Banner on every page while the code of projects runs with all rights of the server. */
export function UnsandboxedBar() {
  const { data: state } = useQuery({
    ...aboutQuery(),
    staleTime: Infinity,
    select: ({ projects }) => projects.state,
  });
  if (state !== "unsandboxed") return null;
  return (
    <aside
      aria-label="Sandbox"
      className="flex items-start gap-2 border-b border-warn/30 bg-warn-soft px-4 py-1.5 text-warn"
    >
      <ShieldOff aria-hidden className="mt-0.5 size-4 shrink-0" />
      <p className="min-w-0">
        <strong className="font-semibold">Projects run without a sandbox.</strong> Their code can
        read and change everything that this server can. Set{" "}
        <code className="font-mono">PROJECTS=auto</code> and restart the server to turn the sandbox
        on.
      </p>
    </aside>
  );
}
