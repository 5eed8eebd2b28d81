import { Check } from "lucide-react";

import { THEME_CHOICES } from "@/components/theme-choices";
import { usePreference } from "@/lib/preferences";

/** List of themes. */
export function ThemePanel({ onChosen }: { onChosen: () => void }) {
  const [choice, choose] = usePreference("theme");
  return (
    <ul className="grid w-40">
      {THEME_CHOICES.map(({ value, label, Icon }) => (
        <li key={value}>
          <button
            type="button"
            aria-pressed={choice === value}
            onClick={() => {
              choose(value);
              onChosen();
            }}
            className="flex min-h-8 w-full items-center gap-2.5 rounded-sm px-2.5 text-left hover:bg-hover focus-visible:-outline-offset-2 max-sm:min-h-11 [&_svg]:size-4"
          >
            <Icon aria-hidden className="text-ink-soft" />
            <span className="flex-1">{label}</span>
            {choice === value && <Check aria-hidden className="text-accent" />}
          </button>
        </li>
      ))}
    </ul>
  );
}
