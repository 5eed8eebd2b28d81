import type { ReactNode } from "react";

interface Props {
  name: ReactNode;
  /** One sentence that explains the setting. */
  hint?: ReactNode;
  /** The control, on the right; below the name on phones. */
  children: ReactNode;
}

/** One row of a settings card. */
export function SettingRow({ name, hint, children }: Props) {
  return (
    <div className="flex flex-wrap items-center justify-between gap-x-6 gap-y-2 px-4 py-3">
      <div className="min-w-0 flex-1 basis-60">
        <p className="font-medium">{name}</p>
        {hint && <p className="text-ink-faint">{hint}</p>}
      </div>
      <div className="flex max-w-full flex-wrap gap-2">{children}</div>
    </div>
  );
}
