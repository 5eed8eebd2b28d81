import { Switch as Primitive } from "radix-ui";
import { useId, type ReactNode } from "react";

interface Props {
  name: string;
  hint: ReactNode;
  on: boolean;
  onChange: (on: boolean) => void;
}

/** A setting with a switch. */
export function SwitchSetting({ name, hint, on, onChange }: Props) {
  const id = useId();
  return (
    <div className="flex items-center justify-between gap-6 px-4 py-3">
      <div className="min-w-0">
        <label htmlFor={id} className="font-medium">
          {name}
        </label>
        <p id={`${id}-hint`} className="text-ink-faint">
          {hint}
        </p>
      </div>
      <Primitive.Root
        id={id}
        checked={on}
        onCheckedChange={onChange}
        aria-describedby={`${id}-hint`}
        className="relative h-6 w-10 shrink-0 rounded-full border border-line-strong bg-sunken transition-colors after:absolute after:-inset-2.5 after:content-[''] data-[state=checked]:border-accent data-[state=checked]:bg-accent"
      >
        <Primitive.Thumb className="block size-4 translate-x-[3px] rounded-full bg-line-strong transition-transform data-[state=checked]:translate-x-[19px] data-[state=checked]:bg-accent-ink" />
      </Primitive.Root>
    </div>
  );
}
