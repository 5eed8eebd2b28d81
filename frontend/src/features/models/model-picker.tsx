import { Check } from "lucide-react";
import { useId, useState, type ComponentProps, type KeyboardEvent } from "react";

import { Input } from "@/components/ui/input";
import { cn } from "@/lib/cn";

import { filterModelNames, nextRow } from "./filter-model-names";

interface Props extends Omit<ComponentProps<"input">, "value" | "onChange"> {
  value: string;
  /** The provider's model names. */
  names: readonly string[];
  /** Names that are already registered. */
  registered: ReadonlySet<string>;
  /** `picked` is true when the value comes from the list. */
  onValue: (value: string, picked: boolean) => void;
}

/** A combobox for model names: select from the list or enter any text. */
export function ModelPicker({ value, names, registered, onValue, ...rest }: Props) {
  const list = useId();
  const [open, setOpen] = useState(false);
  const [row, setRow] = useState(-1);
  const [filter, setFilter] = useState("");
  const { shown, hidden } = filterModelNames(names, filter);
  const visible = open && shown.length > 0;

  const show = () => {
    setOpen(true);
    setRow(-1);
  };
  const pick = (name: string) => {
    onValue(name, true);
    setOpen(false);
    setFilter("");
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const picked = shown[row];
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      setOpen(true);
      const next = nextRow(visible ? row : -1, event.key, shown.length);
      setRow(next);
      document.getElementById(`${list}-${next}`)?.scrollIntoView({ block: "nearest" });
    } else if (event.key === "Enter" && visible && picked !== undefined) {
      event.preventDefault();
      pick(picked);
    } else if (event.key === "Escape" && visible) {
      setOpen(false);
    }
  };

  return (
    <div className="relative">
      <Input
        {...rest}
        role="combobox"
        aria-expanded={visible}
        aria-controls={list}
        aria-autocomplete="list"
        aria-activedescendant={visible && row >= 0 ? `${list}-${row}` : undefined}
        autoComplete="off"
        spellCheck={false}
        className="font-mono"
        value={value}
        onClick={show}
        onBlur={() => setOpen(false)}
        onKeyDown={onKeyDown}
        onChange={(event) => {
          setFilter(event.target.value);
          onValue(event.target.value, false);
          show();
        }}
      />
      <div
        className={cn(
          "absolute inset-x-0 top-full z-20 mt-1 rounded-md border bg-raised shadow-lg",
          !visible && "hidden",
        )}
      >
        <div
          id={list}
          role="listbox"
          aria-label="Models of the provider"
          className="max-h-56 overflow-y-auto p-1"
        >
          {shown.map((name, index) => (
            // oxlint-disable-next-line jsx-a11y/click-events-have-key-events -- the input handles keys
            <div
              key={name}
              id={`${list}-${index}`}
              role="option"
              tabIndex={-1}
              aria-selected={name === value}
              // Keeps the focus in the input.
              onMouseDown={(event) => event.preventDefault()}
              onClick={() => pick(name)}
              className={cn(
                "flex min-h-8 cursor-pointer items-center gap-2 rounded-sm px-2 font-mono text-[13px] hover:bg-hover max-sm:min-h-11",
                index === row && "bg-hover",
              )}
            >
              <span className="min-w-0 flex-1 break-all">{name}</span>
              {registered.has(name) && (
                <span className="font-sans text-xs text-ink-faint">added</span>
              )}
              {name === value && <Check aria-hidden className="size-4 text-accent" />}
            </div>
          ))}
        </div>
        {hidden > 0 && (
          <p className="border-t px-3 py-1.5 text-xs text-ink-faint">
            {hidden} more. Type to filter.
          </p>
        )}
      </div>
    </div>
  );
}
